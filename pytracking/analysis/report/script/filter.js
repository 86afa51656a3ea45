// The attribute filter: chosen attributes narrow the sequences that every table and curve is made of.

function setAttributes(attributes) {
  state.attributes = new Set(attributes);
  changed('filter');
}

function startFilter() {
  const summary = byId('summary');
  const say = () => {
    const count = chosen().length;
    const names = [...state.attributes].map((i) => DATA.attributes[i]).join(state.every ? ' and ' : ' or ');
    summary.textContent = state.attributes.size
      ? `${count} of ${DATA.sequences.length} sequences: ${names}`
      : `all ${DATA.sequences.length} sequences, ${DATA.sequences.reduce((sum, one) => sum + one.frames, 0)} frames`;
  };
  listeners.push((what) => { if (what === 'filter') say(); });
  say();
  if (!DATA.attributes.length) return;

  const counts = DATA.attributes.map((_, i) => DATA.sequences.filter((one) => one.attributes.includes(i)).length);
  const chips = DATA.attributes.map((name, i) => el('button', {
    type: 'button', class: 'chip', 'aria-pressed': 'false', 'data-attribute': i, on: {
      click: () => {
        const next = new Set(state.attributes);
        if (!next.delete(i)) next.add(i);
        setAttributes(next);
      },
    },
  }, name, el('span', { class: 'count' }, String(counts[i]))));
  const clear = el('button', { type: 'button', class: 'plain', on: { click: () => setAttributes([]) } }, 'All sequences');
  const every = el('input', { type: 'checkbox', id: 'every', on: {
    change: () => { state.every = every.checked; changed('filter'); },
  } });
  const host = byId('filter');
  host.hidden = false;
  host.append(el('div', { class: 'bar' }, el('h2', {}, 'Filter'), clear,
    el('label', { for: 'every' }, every, 'all chosen attributes at once')), el('div', { class: 'chips' }, chips));
  const press = () => {
    chips.forEach((chip, i) => chip.setAttribute('aria-pressed', String(state.attributes.has(i))));
    clear.disabled = !state.attributes.size;
  };
  listeners.push((what) => { if (what === 'filter') press(); });
  press();
}
