// Code of the page. Bokeh calls it with its arguments as variables; each call ends with one function.

// Bins drawn at once, at most: more cannot be told apart on a screen.
const MOST_BINS = 700

function bounds() {
  const r = Number(recording.value)
  return [offsets[r], offsets[r + 1]]
}

// First index in [low, high) whose value is above the limit, in an ascending array.
function after(values, limit, low, high) {
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle] > limit) high = middle
    else low = middle + 1
  }
  return low
}

// The bins that the span shows, merged to a few: the pyramid is made as it is needed.
function bandOf(series) {
  const [first, last] = bounds()
  const {left, right} = bins.data
  const low = bins.data["low" + series], high = bins.data["high" + series]
  const start = after(right, span.start, first, last)
  const stop = Math.max(start, after(left, span.end, first, last))
  const each = Math.max(1, Math.ceil((stop - start) / MOST_BINS))
  const found = {left: [], right: [], low: [], high: []}
  for (let i = start; i < stop; i += each) {
    const end = Math.min(i + each, stop)
    let least = Infinity, most = -Infinity
    for (let j = i; j < end; j++) {
      if (low[j] < least) least = low[j]
      if (high[j] > most) most = high[j]
    }
    if (least > most) continue  // no window
    found.left.push(left[i])
    found.right.push(right[end - 1])
    found.low.push(least)
    found.high.push(most)
  }
  return found
}

function showBands() {
  const series = [Number(horizontal.value), scores, scores + 1]
  bands.forEach((band, i) => { band.data = bandOf(series[i]) })
}

function showWindows() {
  const r = Number(recording.value), chosen = Number(label.value)
  const x = Number(horizontal.value), y = Number(vertical.value)
  const data = sample.data
  const found = {x: [], y: [], time: [], score: [], hotelling_t2: [], spe: [], label: [], color: [], sample: []}
  for (let i = 0; i < data.time.length; i++) {
    if (data.recording[i] !== r || (chosen >= 0 && data.klass[i] !== chosen)) continue
    found.x.push(data["value" + x][i])
    found.y.push(data["value" + y][i])
    found.time.push(data.time[i])
    found.score.push(data["value" + x][i])
    found.hotelling_t2.push(data["value" + scores][i])
    found.spe.push(data["value" + (scores + 1)][i])
    found.label.push(labels[data.klass[i]])
    found.color.push(colors[data.klass[i]])
    found.sample.push(i)
  }
  shown.selected.indices = []
  shown.data = found
  axes[0].axis_label = axes[1].axis_label = "score " + (x + 1)
  axes[2].axis_label = "score " + (y + 1)
  showBands()
  showSignal()
}

function showRecording() {
  const [first, last] = bounds()
  span.setv({start: bins.data.left[first], end: bins.data.right[last - 1]})
  span.reset_start = span.start
  span.reset_end = span.end
  showWindows()
}

// The window of largest SPE among those shown.
function largest() {
  const {spe, sample: known} = shown.data
  let best = 0
  for (let i = 1; i < spe.length; i++) if (spe[i] > spe[best]) best = i
  return known[best]
}

// The hover tool calls it with the points under the pointer.
function pointAt() {
  const under = cb_data.index.indices
  if (!under.length || shown.selected.indices.length || lines.under === under[0]) return
  lines.under = under[0]
  showSignal([under[0]])
}

// The window of the recording that is nearest in time to another one and has a signal.
function nearest(i) {
  const data = sample.data
  let best = -1
  for (let j = 0; j < data.time.length; j++) {
    if (data.recording[j] !== data.recording[i] || data.signal[j] < 0) continue
    if (best < 0 || Math.abs(data.time[j] - data.time[i]) < Math.abs(data.time[best] - data.time[i])) best = j
  }
  return best
}

// Where a window is, in words.
function placeOf(time) {
  return seconds ? `${Number(time.toPrecision(6))} s` : `row ${time}`
}

function showSignal(indices = shown.selected.indices) {
  const data = sample.data, [names, shades, positions] = lines.tags
  const known = indices.map(i => shown.data.sample[i])
  const i = known.length ? known.find(s => data.signal[s] >= 0) ?? known[0] : largest()
  if (i === undefined) return
  const about = `${labels[data.klass[i]]} at ${placeOf(data.time[i])}: ` +
    `T2 ${data["value" + scores][i].toPrecision(3)}, SPE ${data["value" + (scores + 1)][i].toPrecision(3)}`
  const more = !indices.length ? "Largest SPE here: " : indices.length > 1 ? `${indices.length} ${item}s are selected. ` : ""
  const drawn = data.signal[i] < 0 ? nearest(i) : i, place = drawn < 0 ? -1 : data.signal[drawn]
  const other = drawn === i || drawn < 0 ? "" : `. Below is the nearest ${item} that is in this page, at ${placeOf(data.time[drawn])}.`
  note.text = more.concat(about, other)
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;")
  const found = {xs: [], ys: [], window: [], color: [], name: []}
  if (place >= 0) {
    const n = positions.length, values = signals.data.values
    names.forEach((name, c) => {
      const from = (2 * place * names.length + c) * n, rebuilt = from + names.length * n
      found.xs.push(positions)
      found.window.push(Array.from(values.slice(from, from + n)))
      found.ys.push(Array.from(values.slice(rebuilt, rebuilt + n)))
      found.color.push(shades[c])
      found.name.push(name)
    })
  }
  lines.data = found
}
