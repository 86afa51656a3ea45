// What curves and timelines share: a drawing that knows its size, axes, lines, and the box that tells values.

const MOST_LINES = 16;
const MARGIN = { left: 40, right: 12, top: 10, bottom: 36 };

// Calls `draw(width)` now and whenever the width changes.
function whenSized(host, draw) {
  let width = 0;
  const look = () => {
    const next = Math.floor(host.clientWidth);
    if (next && next !== width) {
      width = next;
      draw(width);
    }
  };
  new ResizeObserver(look).observe(host);
  look();
}

// Round steps so that about `most` ticks lie in [low, high].
function ticks(low, high, most) {
  const rough = (high - low) / Math.max(most, 1) || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high + step / 1e6; i += 1) found.push(Number((i * step).toPrecision(10)));
  return found;
}

// Scales and axes: x over [low, high], y over [0, 1].
function axes(width, height, low, high, label) {
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  const x = (value) => MARGIN.left + ((value - low) / (high - low || 1)) * (right - MARGIN.left);
  const y = (value) => bottom - value * (bottom - MARGIN.top);
  const back = (px) => low + ((px - MARGIN.left) / (right - MARGIN.left)) * (high - low);
  const parts = [0, 0.2, 0.4, 0.6, 0.8, 1].flatMap((value) => [
    svg('line', { class: 'grid', x1: MARGIN.left, x2: right, y1: y(value), y2: y(value) }),
    svg('text', { class: 'tick', x: MARGIN.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, String(value)),
  ]);
  for (const value of ticks(low, high, Math.min(8, (right - MARGIN.left) / 55))) {
    parts.push(svg('line', { class: 'grid', x1: x(value), x2: x(value), y1: MARGIN.top, y2: bottom }),
      svg('text', { class: 'tick', x: x(value), y: bottom + 15, 'text-anchor': 'middle' }, String(value)));
  }
  parts.push(svg('text', { class: 'axis', x: (MARGIN.left + right) / 2, y: height - 4, 'text-anchor': 'middle' }, label));
  return { x, y, back, bottom, right, node: svg('g', { 'aria-hidden': 'true' }, parts) };
}

// The `d` of a line; null values interrupt it.
function pathOf(values, x, y) {
  let text = '';
  let pen = 'M';
  values.forEach((value, i) => {
    if (value === null) {
      pen = 'M';
    } else {
      text += `${pen}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = 'L';
    }
  });
  return text;
}

// A box beside the pointer: a title, and a line for each tracker.
function tooltip(host) {
  const box = el('div', { class: 'tip', 'aria-hidden': 'true', hidden: true });
  host.append(box);
  return {
    hide: () => { box.hidden = true; },
    show: (px, title, lines) => {
      const more = lines.length - MOST_LINES;
      box.replaceChildren(el('strong', {}, title), ...lines.slice(0, MOST_LINES).map(([tracker, text]) => el('span', { class: 'tip-line' },
        swatch(tracker), el('span', { class: 'tip-name' }, DATA.trackers[tracker].label), el('b', {}, text))),
      more > 0 ? el('span', { class: 'muted' }, `and ${more} more`) : '');
      box.hidden = false;
      // Above the plot, so that it hides no curve; below where the screen ends.
      box.classList.toggle('below', host.getBoundingClientRect().top < box.offsetHeight);
      box.style.left = `${clamp(px - box.offsetWidth / 2, 0, Math.max(host.clientWidth - box.offsetWidth, 0))}px`;
    },
  };
}
