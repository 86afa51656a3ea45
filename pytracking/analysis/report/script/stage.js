// The picture of a frame with everybody's box on it, at full size or close to the target.

const TRUTH = -1;

// How large the sequence's pictures are: known, or, without pictures, as large as its true boxes reach.
function extentOf(sequence) {
  if (sequence.pictures?.size) return sequence.pictures.size;
  let [right, bottom] = [40, 30];
  for (let frame = 0; frame < sequence.frames; frame += 1) {
    const box = boxAt(sequence, 0, frame);
    if (box) [right, bottom] = [Math.max(right, box[0] + box[2]), Math.max(bottom, box[1] + box[3])];
  }
  return [Math.ceil(right * 1.05), Math.ceil(bottom * 1.05)];
}

function addressOf(sequence, frame) {
  const { pictures } = sequence;
  if (!pictures) return null;
  if (pictures.embedded) return pictures.embedded[frame] ?? null;
  if (pictures.names) return pictures.folder + pictures.names[frame];
  const number = String(pictures.first + frame).padStart(pictures.width, '0');
  return pictures.folder + pictures.prefix + number + pictures.suffix;
}

function makeStage() {
  const image = svg('image', { preserveAspectRatio: 'none' });
  const boxes = svg('g');
  const picture = svg('svg', { class: 'picture', tabindex: 0, role: 'img', preserveAspectRatio: 'xMidYMid meet' }, image, boxes);
  const message = el('p', { class: 'message', role: 'status' });
  let size = [4, 3];
  let zoomed = false;
  let asked = 0;

  function region(sequence, frame) {
    const box = zoomed ? boxAt(sequence, 0, frame) : null;
    if (!box) return [0, 0, ...size];
    const width = clamp(3.5 * Math.max(box[2], box[3] * size[0] / size[1], 12), 1, size[0]);
    const height = width * size[1] / size[0];
    return [clamp(box[0] + box[2] / 2 - width / 2, 0, size[0] - width),
      clamp(box[1] + box[3] / 2 - height / 2, 0, size[1] - height), width, height];
  }

  function outline(box, kind) {
    const place = { x: box[0], y: box[1], width: Math.max(box[2], 0), height: Math.max(box[3], 0) };
    return [svg('rect', { class: 'under', ...place }), svg('rect', { class: `box ${kind}`, ...place })];
  }

  function drawBoxes(sequence, frame) {
    picture.setAttribute('viewBox', region(sequence, frame).map((value) => value.toFixed(2)).join(' '));
    const drawn = [];
    for (const tracker of [...shownTrackers().reverse(), TRUTH]) {
      const box = boxAt(sequence, tracker + 1, frame);
      if (box) drawn.push(...outline(box, tracker === TRUTH ? 'truth' : `on-picture ${lineClass(tracker)}`));
    }
    boxes.replaceChildren(...drawn);
    picture.setAttribute('aria-label', `${sequence.name}, frame ${frame + 1} of ${sequence.frames}`);
  }

  function place(sequence, frame, address, text) {
    if (address) {
      for (const [name, value] of Object.entries({ href: address, width: size[0], height: size[1] })) image.setAttribute(name, value);
    } else {
      image.removeAttribute('href');
    }
    message.textContent = text;
    message.hidden = !text;
    drawBoxes(sequence, frame);
    picture.dataset.frame = String(frame);
  }

  // Picture and boxes change together, when the picture is there; what was asked for before is forgotten.
  function show(sequence, frame) {
    asked += 1;
    const mine = asked;
    const address = addressOf(sequence, frame);
    if (!address) {
      size = extentOf(sequence);
      place(sequence, frame, null, sequence.pictures ? 'This frame is not among the embedded pictures.' : 'No images at hand: boxes alone.');
      return;
    }
    const loader = new Image();
    loader.addEventListener('load', () => {
      if (mine !== asked) return;
      size = sequence.pictures.size ?? [loader.naturalWidth, loader.naturalHeight];
      sequence.pictures.size = size;
      place(sequence, frame, address, '');
      if (!sequence.pictures.embedded && frame + 1 < sequence.frames) new Image().src = addressOf(sequence, frame + 1);
    });
    loader.addEventListener('error', () => {
      if (mine !== asked) return;
      size = extentOf(sequence);
      place(sequence, frame, null, `No image at ${decodeURI(address)}: the page looks for it relative to where it lies.`);
    });
    loader.src = address;
  }

  return { node: el('div', { class: 'screen' }, picture, message), picture, show,
    zoom: (wanted) => { zoomed = wanted; } };
}
