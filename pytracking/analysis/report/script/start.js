// Put the parts together.

function startPicker() {
  const pick = byId('pick');
  pick.append(...DATA.sequences.map((one, i) => el('option', { value: i }, one.name)));
  pick.addEventListener('change', () => openSequence(Number(pick.value), false));
  const show = () => {
    pick.value = String(state.sequence);
    byId('pick-tags').replaceChildren(...DATA.sequences[state.sequence].attributes.map((i) => el('span', { class: 'tag' }, DATA.attributes[i])));
  };
  listeners.push((what) => { if (what === 'sequence') show(); });
  show();
}

document.querySelectorAll('[data-measures]').forEach(measureButtons);
startFilter();
trackerTable();
startCurves();
attributeTable();
differenceTable();
// The sequence that the best tracker does worst is the most telling one to begin with.
state.sequence = DATA.sequences.reduce((worst, _, i) => (
  sequenceFigure(DATA.measures[0], 0, i) < sequenceFigure(DATA.measures[0], 0, worst) ? i : worst), 0);
startSequences();
startPicker();
startTimeline();
startViewer();
document.querySelectorAll('nav a').forEach((link) => {
  link.hidden = document.querySelector(link.getAttribute('href')).hidden;
});
