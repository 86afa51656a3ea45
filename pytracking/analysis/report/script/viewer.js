// The controls around the stage: step, play, jump to what went wrong, zoom, and who is drawn.

function setFrame(frame) {
  if (frame === state.frame) return;
  state.frame = frame;
  changed('frame');
}

function button(text, label, act, properties = {}) {
  return el('button', { type: 'button', 'aria-label': label, title: label, on: { click: act }, ...properties }, text);
}

// The next frame after the present one, around the end, in which a tracker has lost the target (overlap below 0.1).
function nextLoss(tracker) {
  const sequence = DATA.sequences[state.sequence];
  const lost = (frame) => { const value = overlapAt(sequence, tracker, frame); return value !== null && value < 0.1; };
  for (let step = 1; step <= sequence.frames; step += 1) {
    const frame = (state.frame + step) % sequence.frames;
    // the start of a loss, not every frame of it
    if (lost(frame) && (frame === 0 || !lost(frame - 1))) return frame;
  }
  return null;
}

function startViewer() {
  const stage = makeStage();
  const sequence = () => DATA.sequences[state.sequence];
  const last = () => sequence().frames - 1;
  const range = el('input', { type: 'range', min: 1, step: 1, 'aria-label': 'Frame', on: { input: () => setFrame(Number(range.value) - 1) } });
  const count = el('output', { class: 'frame-count' });
  const rows = el('ul', { class: 'boxes' });
  const note = el('p', { class: 'unseen', role: 'status', 'aria-live': 'polite' });
  let timer = null;

  const stop = () => { clearInterval(timer); timer = null; play.textContent = '▶ Play'; };
  const play = button('▶ Play', 'Play or stop (space)', () => (timer ? stop() : run()));
  function run() {
    if (state.frame === last()) setFrame(0);
    timer = setInterval(() => (state.frame < last() ? setFrame(state.frame + 1) : stop()), 80);
    play.textContent = '❚❚ Stop';
  }
  const zoom = button('Zoom', 'Close to the target (Z)', () => {
    const on = zoom.getAttribute('aria-pressed') !== 'true';
    zoom.setAttribute('aria-pressed', String(on));
    stage.zoom(on);
    stage.show(sequence(), state.frame);
  }, { 'aria-pressed': 'false' });

  function jump(tracker) {
    const frame = nextLoss(tracker);
    note.textContent = frame === null ? `${DATA.trackers[tracker].label} never loses the target here` : `frame ${frame + 1}`;
    if (frame !== null) setFrame(frame);
  }

  function describe() {
    range.value = String(state.frame + 1);
    count.textContent = `${state.frame + 1} / ${sequence().frames}`;
    rows.replaceChildren(el('li', {}, el('span', { class: 'swatch truth' }), el('span', {}, 'ground truth')),
      ...shownTrackers().map((tracker) => {
        const value = overlapAt(sequence(), tracker, state.frame);
        const none = nextLoss(tracker) === null;
        return el('li', { class: 'on-picture' }, swatch(tracker), el('span', {}, DATA.trackers[tracker].label,
          tracker < DATA.boxed ? '' : ' (box left out)'), el('b', {}, value === null ? '–' : value.toFixed(2)),
        button('next loss', `Next frame in which ${DATA.trackers[tracker].label} loses the target`, () => jump(tracker), { disabled: none }));
      }));
  }

  function update() {
    describe();
    stage.show(sequence(), state.frame);
  }

  const screen = el('figure', { class: 'viewer' }, stage.node,
    el('div', { class: 'controls' }, button('◀', 'Previous frame (left arrow)', () => setFrame(Math.max(state.frame - 1, 0))), play,
      button('▶', 'Next frame (right arrow)', () => setFrame(Math.min(state.frame + 1, last()))), zoom, range, count),
    el('figcaption', {}, rows), note);
  screen.addEventListener('keydown', (event) => {
    if (event.target.matches('input, button') && event.key !== 'z') return;
    const next = stepOf(event, state.frame, last());
    if (next !== null) { stop(); setFrame(next); }
    if (event.key === ' ') { event.preventDefault(); play.click(); }
    if (event.key.toLowerCase() === 'z' && !event.ctrlKey && !event.metaKey) zoom.click();
  });
  byId('stage').append(screen, el('p', { class: 'hint' },
    'Arrow keys step, with Shift by ten; Home and End; space plays; Z zooms. Shaded strips above: frames whose ground truth does not count.'));

  listeners.push((what) => {
    if (what === 'sequence') { stop(); range.max = String(sequence().frames); }
    if (['sequence', 'frame', 'hidden'].includes(what)) update();
  });
  range.max = String(sequence().frames);
  update();
}
