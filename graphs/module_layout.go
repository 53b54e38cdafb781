package graphs

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"sort"
	"strings"
)

// Sizes of a drawing of a module's inside, in points.
const (
	blockHeight  = 30.0
	rowHeight    = 62.0
	blockGap     = 22.0
	laneWidth    = 12.0 // of an edge that passes a row
	columnGap    = 96.0
	columnRows   = 16 // rows of a column, about
	blockText    = 10.0
	maxBlocks    = 600
	insideMargin = 30.0
)

// cell is a box, or a place where an edge passes a row.
type cell struct {
	block int // -1 for a passing edge
	up    []int
	down  []int
	row   int
	x, w  float64
}

// layered places blocks in rows: each below all that it reads (Sugiyama,
// Tagawa and Toda 1981), edges that span rows pass them in lanes.
type layered struct {
	cells []cell
	rows  [][]int
	of    []int // cell of a block
}

func (d *Inside) layer() *layered {
	l := &layered{of: make([]int, len(d.blocks))}
	for i, b := range d.blocks {
		row := 0
		for _, from := range b.inputs {
			if from < i {
				row = max(row, l.cells[l.of[from]].row+1)
			}
		}
		l.of[i] = l.add(cell{block: i, row: row, w: d.width(i)})
		for _, from := range b.inputs {
			if from < i {
				l.join(l.of[from], l.of[i])
			}
		}
	}
	for range 6 {
		l.order(true)
		l.order(false)
	}
	l.place()
	return l
}

func (l *layered) add(c cell) int {
	for len(l.rows) <= c.row {
		l.rows = append(l.rows, nil)
	}
	l.rows[c.row] = append(l.rows[c.row], len(l.cells))
	l.cells = append(l.cells, c)
	return len(l.cells) - 1
}

// join leads an edge through all rows between two cells.
func (l *layered) join(from, to int) {
	for l.cells[from].row+1 < l.cells[to].row {
		lane := l.add(cell{block: -1, row: l.cells[from].row + 1, w: laneWidth})
		l.link(from, lane)
		from = lane
	}
	l.link(from, to)
}

func (l *layered) link(from, to int) {
	l.cells[from].down = append(l.cells[from].down, to)
	l.cells[to].up = append(l.cells[to].up, from)
}

// order sorts every row by the mean place of the cells it is joined to.
func (l *layered) order(down bool) {
	at := make([]float64, len(l.cells))
	for _, row := range l.rows {
		for k, c := range row {
			at[c] = float64(k) - float64(len(row)-1)/2
		}
	}
	for k := range l.rows {
		row := l.rows[k]
		if !down {
			row = l.rows[len(l.rows)-1-k]
		}
		mean := func(c int) float64 {
			joined := l.cells[c].up
			if !down {
				joined = l.cells[c].down
			}
			if len(joined) == 0 {
				return at[c]
			}
			sum := 0.0
			for _, o := range joined {
				sum += at[o]
			}
			return sum / float64(len(joined))
		}
		sort.SliceStable(row, func(i, j int) bool { return mean(row[i]) < mean(row[j]) })
		for k, c := range row {
			at[c] = float64(k) - float64(len(row)-1)/2
		}
	}
}

// place finds horizontal positions: every cell goes to the middle of what it
// is joined to, as far as its neighbours let it.
func (l *layered) place() {
	gap := func(a, b int) float64 { return (l.cells[a].w+l.cells[b].w)/2 + blockGap }
	for _, row := range l.rows {
		x := 0.0
		for k, c := range row {
			if k > 0 {
				x += gap(row[k-1], c)
			}
			l.cells[c].x = x
		}
		for _, c := range row {
			l.cells[c].x -= x / 2
		}
	}
	for round := range 400 {
		for k := range l.rows {
			row := l.rows[k]
			if round%2 == 1 {
				row = l.rows[len(l.rows)-1-k]
			}
			l.settle(row, gap)
		}
	}
}

func (l *layered) settle(row []int, gap func(a, b int) float64) {
	want, left := make([]float64, len(row)), make([]float64, len(row))
	for k, c := range row {
		sum, n := 0.0, 0.2 // a weak pull to the middle
		for _, o := range slices.Concat(l.cells[c].up, l.cells[c].down) {
			weight := 1.0
			if l.cells[c].block < 0 && l.cells[o].block < 0 {
				weight = 4 // lanes are straight
			}
			sum += weight * l.cells[o].x
			n += weight
		}
		want[k] = sum / n
	}
	copy(left, want)
	right := slices.Clone(want)
	for k := 1; k < len(row); k++ {
		left[k] = max(left[k], left[k-1]+gap(row[k-1], row[k]))
	}
	for k := len(row) - 2; k >= 0; k-- {
		right[k] = min(right[k], right[k+1]-gap(row[k], row[k+1]))
	}
	for k, c := range row {
		l.cells[c].x = (left[k] + right[k]) / 2
	}
}

// label is the upper line of a block.
func (b *block) label() string {
	shown := b.names
	more := ""
	if len(shown) > 3 {
		shown, more = shown[:3], " …"
	}
	return strings.Join(shown, " · ") + more
}

func (d *Inside) width(i int) float64 {
	b := &d.blocks[i]
	return max(64, textWidth(b.label(), blockText, true)+22, textWidth(b.detail, 8, false)+22)
}

// scene draws the blocks, columns side by side.
func (d *Inside) scene() (*scene, error) {
	omitted := 0
	if len(d.blocks) > maxBlocks {
		omitted = len(d.blocks) - maxBlocks
		short := *d
		short.blocks = d.blocks[:maxBlocks]
		short.repeats = slices.DeleteFunc(slices.Clone(d.repeats), func(r repeat) bool { return r.first+r.length > maxBlocks })
		d = &short
	}
	l := d.layer()
	s := &scene{title: d.Title}
	columns := max(1, int(math.Round(float64(len(l.rows))/columnRows)))
	each := (len(l.rows) + columns - 1) / max(columns, 1)
	at, left := l.columns(each)
	for i := range l.cells {
		l.edges(s, i, at, left, each)
	}
	for _, r := range d.repeats {
		d.paintRepeat(s, l, r, at, each)
	}
	for i := range d.blocks {
		d.paintBlock(s, i, at(l.of[i]))
	}
	d.paintFrame(s, omitted)
	return s, nil
}

// columns says where a cell lies when the rows are cut into columns, and where
// each column begins.
func (l *layered) columns(each int) (at func(c int) point, left []float64) {
	var offsets []float64
	x := 0.0
	for first := 0; first < len(l.rows); first += each {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, row := range l.rows[first:min(first+each, len(l.rows))] {
			for _, c := range row {
				lo, hi = min(lo, l.cells[c].x-l.cells[c].w/2), max(hi, l.cells[c].x+l.cells[c].w/2)
			}
		}
		offsets, left = append(offsets, x-lo), append(left, x)
		x += hi - lo + columnGap
	}
	return func(c int) point {
		row := l.cells[c].row
		return point{l.cells[c].x + offsets[row/each], float64(row%each) * rowHeight}
	}, left
}

// edges draws what leaves a block, through its lanes, to the blocks below.
func (l *layered) edges(s *scene, c int, at func(int) point, left []float64, each int) {
	if l.cells[c].block < 0 {
		return
	}
	for _, next := range l.cells[c].down {
		p := at(c)
		path := []point{{p.x, p.y + blockHeight/2}, {p.x, p.y + blockHeight/2 + 12}}
		from := c
		for {
			q := at(next)
			if l.cells[from].row/each != l.cells[next].row/each { // over to the next column
				bottom := float64(each-1)*rowHeight + blockHeight/2 + 26
				middle := left[l.cells[next].row/each] - columnGap/2
				path = append(path, point{path[len(path)-1].x, bottom}, point{middle, bottom}, point{middle, bottom}, point{middle, q.y - 44}, point{middle, q.y - 44}, point{q.x, q.y - 44})
			}
			if l.cells[next].block >= 0 {
				path = append(path, point{q.x, q.y - blockHeight/2 - 14}, point{q.x, q.y - blockHeight/2 - 1})
				break
			}
			path = append(path, point{q.x, q.y - blockHeight/2}, point{q.x, q.y + blockHeight/2})
			from, next = next, l.cells[next].down[0]
		}
		s.curve(curve{path: spline(path), width: 1.1, color: alpha(soft, 0.75), arrow: true})
	}
}

func (d *Inside) paintBlock(s *scene, i int, p point) {
	b := &d.blocks[i]
	s.box(box{center: p, w: d.width(i), h: blockHeight, fill: kindColors[b.kind]})
	white := color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF}
	y := p.y
	if b.detail != "" {
		y -= 5.5
		s.text(text{at: point{p.x, p.y + 7}, align: centredAt, size: 8, color: alpha(white, 0.85), s: b.detail})
	}
	s.text(text{at: point{p.x, y}, align: centredAt, size: blockText, bold: true, color: white, s: b.label()})
	if b.shape != nil && b.kind != outputKind {
		s.text(text{at: point{p.x + 6, p.y + blockHeight/2 + 9}, align: startsAt, size: 8, color: soft, s: shapeText(b.shape)})
	}
}

func shapeText(shape []int) string {
	if len(shape) == 0 {
		return "scalar"
	}
	return times(shape)
}

// paintRepeat frames the blocks that stand for several.
func (d *Inside) paintRepeat(s *scene, l *layered, r repeat, at func(int) point, each int) {
	byColumn := map[int][]int{}
	for i := r.first; i < r.first+r.length; i++ {
		column := l.cells[l.of[i]].row / each
		byColumn[column] = append(byColumn[column], i)
	}
	for column := range (len(l.rows) + each - 1) / each {
		blocks := byColumn[column]
		if len(blocks) == 0 {
			continue
		}
		lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
		for _, i := range blocks {
			p := at(l.of[i])
			lo = point{min(lo.x, p.x-d.width(i)/2), min(lo.y, p.y-blockHeight/2)}
			hi = point{max(hi.x, p.x+d.width(i)/2), max(hi.y, p.y+blockHeight/2)}
		}
		lo, hi = lo.minus(point{10, 9}), hi.plus(point{34, 16})
		s.box(box{center: lo.toward(hi, 0.5), w: hi.x - lo.x, h: hi.y - lo.y, fill: alpha(moduleColor, 0.09)})
		s.text(text{at: point{hi.x - 6, lo.y + 11}, align: endsAt, size: 11, bold: true, color: moduleColor, s: fmt.Sprintf("×%d", r.times)})
	}
}

// paintFrame adds title and legend around the drawing.
func (d *Inside) paintFrame(s *scene, omitted int) {
	lo, hi := s.bounds()
	y := hi.y + 34
	x := lo.x
	present := map[opKind]bool{}
	for _, b := range d.blocks {
		present[b.kind] = true
	}
	for kind := inputKind; kind <= controlKind; kind++ {
		if !present[kind] {
			continue
		}
		w := textWidth(kindNames[kind], 9, false)
		if x+w+30 > max(hi.x, lo.x+320) {
			x, y = lo.x, y+16
		}
		s.box(box{center: point{x + 7, y}, w: 14, h: 9, fill: kindColors[kind]})
		s.text(text{at: point{x + 19, y}, align: startsAt, size: 9, color: soft, s: kindNames[kind]})
		x += w + 34
	}
	note := fmt.Sprintf("%d operators in %d boxes; constants are left out, ×n repeats a frame, numbers are the shapes of results", d.operators, len(d.blocks))
	if omitted > 0 {
		note += fmt.Sprintf("; %d more boxes are not drawn", omitted)
	}
	s.text(text{at: point{lo.x, y + 18}, align: startsAt, size: 9, color: soft, s: note})
	s.text(text{at: point{lo.x, lo.y - 44}, align: startsAt, size: 17, bold: true, color: ink, s: d.Title})
	s.text(text{at: point{lo.x, lo.y - 25}, align: startsAt, size: 10, color: soft, s: d.Subtitle})
	lo, hi = s.bounds()
	s.shift(point{insideMargin - lo.x, insideMargin - lo.y})
	s.w, s.h = hi.x-lo.x+2*insideMargin, hi.y-lo.y+2*insideMargin
}
