// The data of the page, what is chosen of it, and the figures of what is chosen.

const DATA = JSON.parse(byId('data').textContent);
const INVALID = 255;
const NO_BOX = 254;
const STEPS = 250;
const MISSING = -32768;

const state = { attributes: new Set(), every: false, hidden: new Set(), measure: 0, sequence: 0, frame: 0 };
const listeners = [];

// `what` is 'filter', 'hidden', 'measure', 'sequence' or 'frame'.
function changed(what) {
  for (const listen of listeners) listen(what);
}

function bytes(base64) {
  const text = atob(base64);
  const values = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) values[i] = text.charCodeAt(i);
  return values;
}

for (const measure of DATA.measures) {
  measure.values = new Float32Array(bytes(measure.curves).buffer);
  measure.curves = null;
}

const trackers = DATA.trackers.map((_, i) => i);
const shownTrackers = () => trackers.filter((tracker) => !state.hidden.has(tracker));

// Indices of the sequences that have any, or every, chosen attribute; all where none is chosen.
function chosen() {
  const wanted = [...state.attributes];
  const all = DATA.sequences.map((_, i) => i);
  if (!wanted.length) return all;
  const fits = (has) => (state.every ? wanted.every(has) : wanted.some(has));
  return all.filter((i) => fits((attribute) => DATA.sequences[i].attributes.includes(attribute)));
}

function sequenceCurve(measure, tracker, sequence) {
  const count = measure.thresholds.length;
  const start = (tracker * DATA.sequences.length + sequence) * count;
  return measure.values.subarray(start, start + count);
}

const figureOf = (measure, curve) => measure.weights.reduce((sum, weight, i) => sum + weight * curve[i], 0);

// The mean curve over sequences as the protocol takes it: weighted, all-zero curves dropped where it drops them.
function meanCurve(measure, tracker, sequences) {
  const sum = new Float64Array(measure.thresholds.length);
  let total = 0;
  for (const sequence of sequences) {
    const curve = sequenceCurve(measure, tracker, sequence);
    const { weight } = DATA.sequences[sequence];
    if (weight && !(DATA.dropZero && curve.every((value) => value === 0))) {
      total += weight;
      for (let i = 0; i < sum.length; i += 1) sum[i] += weight * curve[i];
    }
  }
  return total ? sum.map((value) => value / total) : sum;
}

function figure(measure, tracker, sequences) {
  return sequences.length ? figureOf(measure, meanCurve(measure, tracker, sequences)) : null;
}

const sequenceFigure = (measure, tracker, sequence) => figureOf(measure, sequenceCurve(measure, tracker, sequence));

// Decoded when first looked at: overlaps tracker by tracker, boxes (the truth first) of four coordinates.
function framesOf(sequence) {
  if (!sequence.decoded) {
    sequence.decoded = {
      overlaps: bytes(sequence.overlaps),
      boxes: new Int16Array(bytes(sequence.boxes).buffer),
    };
  }
  return sequence.decoded;
}

// Overlap in [0, 1]; null where ground truth or prediction is invalid.
function overlapAt(sequence, tracker, frame) {
  const value = framesOf(sequence).overlaps[tracker * sequence.frames + frame];
  return value === INVALID || value === NO_BOX ? null : value / STEPS;
}

// [x, y, w, h] in image px; `which` is 0 for the truth, 1 + tracker otherwise. Null where there is none.
function boxAt(sequence, which, frame) {
  if (which > DATA.boxed) return null;
  const start = (which * sequence.frames + frame) * 4;
  const box = framesOf(sequence).boxes.subarray(start, start + 4);
  return box[0] === MISSING ? null : Array.from(box, (value) => value * DATA.step);
}
