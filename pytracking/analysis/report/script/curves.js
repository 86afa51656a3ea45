// One plot a measure: the mean curves over the chosen sequences.

function curvePlot(measure) {
  const thresholds = measure.thresholds;
  const last = thresholds.length - 1;
  const host = el('div', { class: 'plot' });
  const picture = svg('svg', {
    class: 'lines', tabindex: 0, role: 'slider', 'aria-label': `${measure.title} curves, by threshold`,
    'aria-valuemin': thresholds[0], 'aria-valuemax': thresholds[last],
  });
  const tip = tooltip(host);
  const probe = svg('g', { class: 'probe' });
  const height = 270;
  let scale = null;
  let curves = new Map();
  let at = Math.round(last / 2);

  function draw(width) {
    const sequences = chosen();
    curves = new Map(shownTrackers().map((tracker) => [tracker, meanCurve(measure, tracker, sequences)]));
    scale = axes(width, height, thresholds[0], thresholds[last], measure.axis);
    picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
    picture.replaceChildren(scale.node);
    if (measure.rankAt !== null) {
      const x = scale.x(measure.rankAt);
      picture.append(svg('line', { class: 'rank', x1: x, x2: x, y1: MARGIN.top, y2: scale.bottom }));
    }
    for (const [tracker, curve] of curves) {
      picture.append(svg('path', {
        class: `line ${lineClass(tracker)}`, 'data-tracker': tracker,
        d: pathOf(Array.from(curve), (i) => scale.x(thresholds[i]), scale.y),
      }));
    }
    picture.append(probe);
    probe.replaceChildren();
    tip.hide();
    say();
  }

  const values = () => [...curves].map(([tracker, curve]) => [tracker, curve[at]]).sort((a, b) => b[1] - a[1]);

  function say() {
    picture.setAttribute('aria-valuenow', thresholds[at]);
    picture.setAttribute('aria-valuetext', `at ${thresholds[at]}: ${values().map(
      ([tracker, value]) => `${DATA.trackers[tracker].label} ${percent(value)}`).join(', ')}`);
  }

  function show(index) {
    at = index;
    const x = scale.x(thresholds[at]);
    probe.replaceChildren(svg('line', { x1: x, x2: x, y1: MARGIN.top, y2: scale.bottom }),
      ...values().map(([tracker, value]) => svg('circle', { class: lineClass(tracker), cx: x, cy: scale.y(value), r: 3.5 })));
    tip.show(x, `${measure.axis} ${thresholds[at]}`, values().map(([tracker, value]) => [tracker, percent(value)]));
    say();
  }

  function hide() {
    probe.replaceChildren();
    tip.hide();
  }

  picture.addEventListener('pointermove', (event) => {
    const wanted = scale.back(event.clientX - picture.getBoundingClientRect().left);
    show(thresholds.reduce((best, value, i) => (Math.abs(value - wanted) < Math.abs(thresholds[best] - wanted) ? i : best), 0));
  });
  picture.addEventListener('pointerleave', hide);
  picture.addEventListener('focus', () => { if (picture.matches(':focus-visible')) show(at); });
  picture.addEventListener('blur', hide);
  picture.addEventListener('keydown', (event) => {
    const next = stepOf(event, at, last);
    if (next !== null) show(next);
    if (event.key === 'Escape') hide();
  });
  host.append(picture);
  return {
    node: el('figure', {}, el('figcaption', {}, measure.title, el('span', { class: 'muted' }, ` ${measure.how}`)), host),
    start: () => whenSized(host, draw),
    redraw: () => { if (host.clientWidth) draw(host.clientWidth); },
    highlight: (tracker) => picture.querySelectorAll('.line').forEach((line) => {
      line.classList.toggle('faded', tracker !== null && line.dataset.tracker !== String(tracker));
    }),
  };
}

function startCurves() {
  const plots = DATA.measures.map(curvePlot);
  byId('charts').append(...plots.map((plot) => plot.node));
  plots.forEach((plot) => plot.start());
  byId('legend').append(...trackers.map((tracker) => el('button', {
    type: 'button', class: 'chip', 'aria-pressed': 'true', on: {
      click: (event) => {
        const hide = !state.hidden.has(tracker);
        if (hide) state.hidden.add(tracker);
        else state.hidden.delete(tracker);
        event.currentTarget.setAttribute('aria-pressed', String(!hide));
        changed('hidden');
      },
      pointerenter: () => plots.forEach((plot) => plot.highlight(tracker)),
      pointerleave: () => plots.forEach((plot) => plot.highlight(null)),
    },
  }, swatch(tracker), DATA.trackers[tracker].label)));
  listeners.push((what) => { if (what === 'filter' || what === 'hidden') plots.forEach((plot) => plot.redraw()); });
}
