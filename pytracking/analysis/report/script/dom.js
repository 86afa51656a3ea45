// Elements and numbers. Text only ever enters the page as text nodes and attributes: no name can become markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === 'on') {
      for (const [name, act] of Object.entries(value)) node.addEventListener(name, act);
    } else {
      node.setAttribute(key, value === true ? '' : String(value));
    }
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

const el = (tag, properties = {}, ...children) => fill(document.createElement(tag), properties, children);
const svg = (tag, properties = {}, ...children) => fill(document.createElementNS(SVG, tag), properties, children);
const byId = (id) => document.getElementById(id);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function percent(value) {
  return value === null || Number.isNaN(value) ? '–' : (100 * value).toFixed(1);
}

// Long names may break after these signs, and only there.
function breakable(text) {
  return text.split(/(?<=[/_.\-])/).flatMap((part, i) => (i ? [el('wbr'), part] : [part]));
}

function signed(value) {
  const text = (100 * value).toFixed(2);
  return value > 0 ? `+${text}` : text.replace('-', '−');
}

// The colour and dash of a tracker, everywhere on the page: 8 colours in 4 kinds of line.
const lineClass = (tracker) => `c${tracker % 8} d${Math.floor(tracker / 8) % 4}`;
const swatch = (tracker) => svg('svg', { class: `swatch ${lineClass(tracker)}`, viewBox: '0 0 18 10', 'aria-hidden': 'true' },
  svg('line', { x1: 0, y1: 5, x2: 18, y2: 5 }));

// Keys that step a slider; null for any other key.
function stepOf(event, value, last) {
  const step = event.shiftKey ? 10 : 1;
  const targets = {
    ArrowLeft: value - step, ArrowDown: value - step, ArrowRight: value + step, ArrowUp: value + step,
    PageDown: value + 10, PageUp: value - 10, Home: 0, End: last,
  };
  if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in targets)) return null;
  event.preventDefault();
  return clamp(targets[event.key], 0, last);
}
