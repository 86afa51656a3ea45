// Tables that sort: a click, or Enter, on a title; once more turns the order. Rows without a value stay below.

// columns: {title, numeric, descending}; a row: {cells: [{value, node?, text?, class?, heat?}], class?}.
function sortableTable(label, columns, sortBy = null) {
  const body = el('tbody');
  const sort = { column: sortBy ? sortBy[0] : null, descending: sortBy ? sortBy[1] : false };
  let rows = [];

  const titles = columns.map((column, i) => el('th', { scope: 'col', class: column.numeric ? 'number' : null },
    el('button', { type: 'button', on: { click: () => order(i) } }, breakable(column.title))));
  const arrow = el('span', { class: 'arrow', 'aria-hidden': 'true' });

  function order(column) {
    sort.descending = sort.column === column ? !sort.descending : Boolean(columns[column].numeric);
    sort.column = column;
    draw();
  }

  function compare(one, other) {
    const [a, b] = [one.cells[sort.column].value, other.cells[sort.column].value];
    if (a === null || b === null) return (a === null) - (b === null);
    const way = typeof a === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true });
    return sort.descending ? -way : way;
  }

  function cellOf(cell, i) {
    const node = el(i ? 'td' : 'th', {
      scope: i ? null : 'row', class: [columns[i].numeric ? 'number' : '', cell.class ?? ''].join(' ').trim() || null,
    }, cell.node ?? cell.text ?? String(cell.value ?? '–'));
    if (cell.heat !== undefined) node.style.setProperty('--heat', `${Math.round(100 * cell.heat)}%`);
    return node;
  }

  function draw() {
    titles.forEach((title, i) => {
      const way = sort.descending ? 'descending' : 'ascending';
      if (i !== sort.column) {
        title.removeAttribute('aria-sort');
        return;
      }
      title.setAttribute('aria-sort', way);
      arrow.textContent = sort.descending ? '▼' : '▲';
      // on the side away from the figures, so that title and figures stay in line
      title.firstChild[columns[i].numeric ? 'prepend' : 'append'](arrow);
    });
    const sorted = sort.column === null ? rows : [...rows].sort(compare);
    body.replaceChildren(...sorted.map((row) => el('tr', { class: row.class }, row.cells.map(cellOf))));
  }

  const node = el('div', { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': label },
    el('table', {}, el('caption', { class: 'unseen' }, label), el('thead', {}, el('tr', {}, titles)), body));
  return { node, show: (next) => { rows = next; draw(); } };
}

// A row of buttons of which one is pressed: which measure the tables show.
function measureButtons(host) {
  if (DATA.measures.length < 2) return;
  const buttons = DATA.measures.map((measure, i) => el('button', {
    type: 'button', on: { click: () => { state.measure = i; changed('measure'); } },
  }, measure.title));
  host.append(el('div', { class: 'segments', role: 'group', 'aria-label': 'Measure' }, buttons));
  const press = () => buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(i === state.measure)));
  listeners.push((what) => { if (what === 'measure') press(); });
  press();
}
