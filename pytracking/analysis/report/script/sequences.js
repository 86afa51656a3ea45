// The table of sequences: a figure for each tracker, and the way to its frames.

function openSequence(sequence, go = true) {
  state.sequence = sequence;
  state.frame = 0;
  changed('sequence');
  if (go) {
    byId('viewer').scrollIntoView({ behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
    byId('stage').querySelector('[tabindex="0"]').focus({ preventScroll: true });
  }
}

function startSequences() {
  const columns = [{ title: 'Sequence' }, { title: 'Frames', numeric: true },
    ...trackers.map((tracker) => ({ title: DATA.trackers[tracker].label, numeric: true }))];
  if (trackers.length > 1) columns.push({ title: 'Spread', numeric: true });
  const table = sortableTable('Figures by sequence', columns, [2, false]);
  const search = byId('search');

  function show() {
    const measure = DATA.measures[state.measure];
    const words = search.value.trim().toLowerCase();
    const found = chosen().filter((i) => DATA.sequences[i].name.toLowerCase().includes(words));
    table.show(found.map((i) => {
      const one = DATA.sequences[i];
      const figures = trackers.map((tracker) => sequenceFigure(measure, tracker, i));
      const spread = Math.max(...figures) - Math.min(...figures);
      const open = el('button', { type: 'button', class: 'link', on: { click: () => openSequence(i) } }, breakable(one.name));
      return { class: i === state.sequence ? 'current' : null, cells: [{ value: one.name, node: open }, { value: one.frames },
        ...figures.map((value) => ({ value, text: percent(value), heat: value, class: `heat ${percent(value) === bestOf(figures) ? 'best' : ''}` })),
        ...(trackers.length > 1 ? [{ value: spread, text: percent(spread) }] : [])] };
    }));
  }

  byId('sequence-table').append(table.node);
  search.addEventListener('input', show);
  listeners.push((what) => { if (['filter', 'measure', 'sequence'].includes(what)) show(); });
  show();
}
