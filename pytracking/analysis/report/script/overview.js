// The tables of trackers, of attributes and of differences.

const PUBLISHED = () => el('span', { class: 'badge' }, 'published');

// The largest of ours as it is shown, so that what reads alike is marked alike.
function bestOf(values) {
  const known = values.filter((value) => value !== null);
  return known.length > 1 ? percent(Math.max(...known)) : null;
}

// How the figures were made; beside a part of the sequences, which part.
function tellNotes() {
  const origins = [...new Set(DATA.published.map((row) => row.origin))].map((origin) => `published: ${origin}`);
  const part = [`over ${chosen().length} of ${DATA.sequences.length} sequences by the filter; frames/s over all of them`];
  if (origins.length) part.push('published figures are over all sequences, and not shown beside a part of them');
  const lines = state.attributes.size ? [...part, DATA.how] : [...DATA.notes, ...origins, ...DATA.lacks];
  byId('notes').replaceChildren(...lines.map((line) => el('p', {}, line)));
}

function trackerTable() {
  const columns = [{ title: 'Tracker' }, ...DATA.measures.map((measure) => ({ title: measure.title, numeric: true })),
    { title: 'frames/s', numeric: true }];
  const table = sortableTable('Trackers', columns, [1, true]);
  const overall = DATA.published.filter((row) => row.attribute === null);
  const show = () => {
    const sequences = chosen();
    const all = !state.attributes.size;
    const figures = DATA.measures.map((measure, m) => trackers.map((tracker) => (all
      ? DATA.trackers[tracker].figures[m] : figure(measure, tracker, sequences))));
    const best = figures.map(bestOf);
    table.show([
      ...trackers.map((tracker) => ({ cells: [
        { value: DATA.trackers[tracker].label, node: el('span', { class: 'named' }, swatch(tracker), el('span', {}, breakable(DATA.trackers[tracker].label))) },
        ...figures.map((column, m) => ({ value: column[tracker], text: percent(column[tracker]),
          class: percent(column[tracker]) === best[m] ? 'best' : '' })),
        { value: DATA.trackers[tracker].speed, text: DATA.trackers[tracker].speed?.toFixed(1) },
      ] })),
      // Published figures are over all sequences: beside a subset they would mislead.
      ...(all ? overall : []).map((row) => ({ class: 'published', cells: [
        { value: row.tracker, node: el('span', { class: 'named', title: row.origin }, el('span', {}, breakable(row.tracker)), PUBLISHED()) },
        ...row.figures.map((value) => ({ value, text: percent(value) })), { value: null },
      ] })),
    ]);
  };
  byId('tracker-table').append(table.node);
  listeners.push((what) => { if (what === 'filter') { show(); tellNotes(); } });
  show();
  tellNotes();
}

function attributeTable() {
  if (!DATA.attributes.length) return;
  byId('attributes').hidden = false;
  const others = [...new Set(DATA.published.filter((row) => row.attribute !== null).map((row) => row.tracker))].sort();
  const columns = [{ title: 'Attribute' }, { title: 'Seq.', numeric: true },
    ...trackers.map((tracker) => ({ title: DATA.trackers[tracker].label, numeric: true })),
    ...others.map((name) => ({ title: `${name} (published)`, numeric: true }))];
  const table = sortableTable('Figures by attribute', columns);
  const show = () => table.show(DATA.attributes.map((name, i) => {
    const members = DATA.sequences.flatMap((one, s) => (one.attributes.includes(i) ? [s] : []));
    const figures = trackers.map((tracker) => figure(DATA.measures[state.measure], tracker, members));
    const theirs = others.map((tracker) => DATA.published.find((row) => row.tracker === tracker
      && row.attribute?.toLowerCase() === name.toLowerCase())?.figures[state.measure] ?? null);
    const choose = el('button', { type: 'button', class: 'link', on: { click: () => setAttributes([i]) } }, breakable(name));
    return { cells: [{ value: name, node: choose }, { value: members.length },
      ...figures.map((value) => ({ value, text: percent(value), heat: value, class: `heat ${percent(value) === bestOf(figures) ? 'best' : ''}` })),
      ...theirs.map((value) => ({ value, text: percent(value), class: 'published' }))] };
  }));
  byId('attribute-table').append(table.node);
  listeners.push((what) => { if (what === 'measure') show(); });
  show();
}

function verdict(row) {
  if (row.low <= 0 && row.high >= 0) return 'no clear difference';
  return row.low > 0 ? 'first is better' : 'second is better';
}

function differenceTable() {
  const rows = DATA.differences;
  if (!rows.length) return;
  byId('differences').hidden = false;
  const table = sortableTable('Differences of two trackers', [{ title: 'Trackers' }, { title: 'Measure' },
    { title: 'difference', numeric: true }, { title: 'interval', numeric: true }, { title: 'first ahead', numeric: true },
    { title: 'reading' }]);
  table.show(rows.map((row) => ({ cells: [
    { value: `${row.first} − ${row.second}` }, { value: DATA.measures[row.measure].title },
    { value: row.difference, text: signed(row.difference), class: 'best' },
    { value: row.low, text: `${signed(row.low)} … ${signed(row.high)}`, class: 'nowrap' },
    { value: row.share_above, text: `${percent(row.share_above)} %` }, { value: verdict(row) },
  ] })));
  byId('difference-table').append(table.node);
  byId('difference-note').textContent = `Paired bootstrap over ${rows[0].sequences} sequences, ${rows[0].draws} draws, `
    + `${Math.round(100 * rows[0].level)} % percentile interval, × 100; over all sequences, whatever the filter.`;
}
