// The overlap of every frame of one sequence; a click, or the arrow keys, choose the frame.

function startTimeline() {
  const host = el('div', { class: 'plot' });
  const picture = svg('svg', { class: 'lines time', tabindex: 0, role: 'slider', 'aria-label': 'Frame, by overlap over time', 'aria-valuemin': 1 });
  const tip = tooltip(host);
  const cursor = svg('line', { class: 'cursor' });
  const probe = svg('g', { class: 'probe' });
  const height = 190;
  let scale = null;

  const sequence = () => DATA.sequences[state.sequence];
  const read = (frame) => shownTrackers().map((tracker) => [tracker, overlapAt(sequence(), tracker, frame)]);
  const words = (value) => (value === null ? '–' : value.toFixed(2));

  // Frames that do not count, because their ground truth is invalid, as shaded strips.
  function strips() {
    const { overlaps } = framesOf(sequence());
    const found = [];
    for (let start = 0; start < sequence().frames; start += 1) {
      let end = start;
      while (end < sequence().frames && overlaps[end] === INVALID) end += 1;
      if (end > start) {
        found.push(svg('rect', { class: 'invalid', x: scale.x(start + 0.5), y: MARGIN.top,
          width: Math.max(scale.x(end + 0.5) - scale.x(start + 0.5), 1), height: scale.bottom - MARGIN.top }));
        start = end;
      }
    }
    return found;
  }

  function draw(width) {
    const one = sequence();
    scale = axes(width, height, 1, Math.max(one.frames, 2), 'frame');
    picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
    picture.setAttribute('aria-valuemax', one.frames);
    picture.replaceChildren(scale.node, ...strips());
    for (const tracker of shownTrackers()) {
      const values = Array.from({ length: one.frames }, (_, frame) => overlapAt(one, tracker, frame));
      picture.append(svg('path', { class: `line thin ${lineClass(tracker)}`, 'data-tracker': tracker, d: pathOf(values, (i) => scale.x(i + 1), scale.y) }));
    }
    picture.append(cursor, probe);
    probe.replaceChildren();
    tip.hide();
    move();
  }

  function move() {
    const x = scale.x(state.frame + 1);
    for (const [name, value] of Object.entries({ x1: x, x2: x, y1: MARGIN.top, y2: scale.bottom })) cursor.setAttribute(name, value);
    picture.setAttribute('aria-valuenow', state.frame + 1);
    picture.setAttribute('aria-valuetext', `frame ${state.frame + 1} of ${sequence().frames}: ${read(state.frame).map(
      ([tracker, value]) => `${DATA.trackers[tracker].label} ${words(value)}`).join(', ')}`);
  }

  function frameUnder(event) {
    const px = event.clientX - picture.getBoundingClientRect().left;
    return clamp(Math.round(scale.back(px)) - 1, 0, sequence().frames - 1);
  }

  function hover(event) {
    const frame = frameUnder(event);
    const x = scale.x(frame + 1);
    const values = read(frame);
    probe.replaceChildren(svg('line', { x1: x, x2: x, y1: MARGIN.top, y2: scale.bottom }),
      ...values.filter(([, value]) => value !== null).map(([tracker, value]) => svg('circle', {
        class: lineClass(tracker), cx: x, cy: scale.y(value), r: 3 })));
    tip.show(x, `frame ${frame + 1}`, values.map(([tracker, value]) => [tracker, words(value)]));
    if (event.buttons & 1) setFrame(frame);
  }

  picture.addEventListener('pointermove', hover);
  picture.addEventListener('pointerleave', () => { probe.replaceChildren(); tip.hide(); });
  picture.addEventListener('pointerdown', (event) => setFrame(frameUnder(event)));
  picture.addEventListener('keydown', (event) => {
    const next = stepOf(event, state.frame, sequence().frames - 1);
    if (next !== null) setFrame(next);
  });
  host.append(picture);
  byId('timeline').append(host);
  whenSized(host, draw);
  listeners.push((what) => {
    if (what === 'frame') move();
    else if ((what === 'sequence' || what === 'hidden') && host.clientWidth) draw(host.clientWidth);
  });
}
