package goengine

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// What ai.onnx.ml does to features and labels.
var featureTable = map[string]operator{
	"ai.onnx.ml.ArrayFeatureExtractor": {native: true, build: buildArrayFeature},
	"ai.onnx.ml.Binarizer":             {build: buildBinarizer},
	"ai.onnx.ml.CastMap":               {native: true, impure: true, build: buildCastMap},
	"ai.onnx.ml.CategoryMapper":        {native: true, build: buildCategoryMapper},
	"ai.onnx.ml.DictVectorizer":        {native: true, impure: true, build: buildDictVectorizer},
	"ai.onnx.ml.FeatureVectorizer":     {build: buildFeatureVectorizer},
	"ai.onnx.ml.Imputer":               {build: buildImputer},
	"ai.onnx.ml.LabelEncoder":          {native: true, build: buildLabelEncoder},
	"ai.onnx.ml.Normalizer":            {build: buildNormalizer},
	"ai.onnx.ml.OneHotEncoder":         {native: true, build: buildOneHotEncoder},
	"ai.onnx.ml.Scaler":                {build: buildScaler},
	"ai.onnx.ml.ZipMap":                {native: true, impure: true, build: buildZipMap},
}

func buildArrayFeature(*spec) (operation, error) {
	return func(c *call) error {
		x, idx, err := c.pair()
		if err != nil {
			return err
		}
		list, err := c.intsOf(1)
		if err != nil {
			return err
		}
		if len(x.shape) == 0 || idx.n == 0 {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		n := x.shape[len(x.shape)-1]
		shape := append(slices.Clone(x.shape[:len(x.shape)-1]), len(list))
		if len(x.shape) == 1 {
			shape = []int{1, len(list)}
		}
		out, err := c.output(0, x.dt, shape...)
		if err != nil {
			return err
		}
		for o := range out.n / len(list) {
			for k, i := range list {
				if i < 0 || i >= n {
					return fmt.Errorf("feature %d of %d", i, n)
				}
				copyRange(out, o*len(list)+k, x, o*n+i, 1)
			}
		}
		return nil
	}, nil
}

// eachNumber makes an operator that maps every number, given its column.
func eachNumber(to onnxElem, f func(v float64, column, width int) (float64, error)) operation {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		dt := to
		if dt == 0 {
			dt = x.dt
		}
		out, err := c.output(0, dt, x.shape...)
		if err != nil {
			return err
		}
		width := 1
		if len(x.shape) > 0 {
			width = x.shape[len(x.shape)-1]
		}
		vals := make([]float64, x.n)
		for i := range vals {
			if vals[i], err = f(x.at(i), i%width, width); err != nil {
				return err
			}
		}
		return castFrom(out, vals)
	}
}

func buildBinarizer(s *spec) (operation, error) {
	threshold := float64(s.float("threshold", 0))
	return eachNumber(0, func(v float64, _, _ int) (float64, error) { return float64(b2u(v > threshold)), nil }), nil
}

// columnValue picks one value for all columns, or one for each.
func columnValue(list []float64, column, width int, otherwise float64) (float64, error) {
	switch len(list) {
	case 0:
		return otherwise, nil
	case 1:
		return list[0], nil
	case width:
		return list[column], nil
	}
	return 0, fmt.Errorf("%d values for %d columns", len(list), width)
}

func buildScaler(s *spec) (operation, error) {
	offset, scale := s.numbers("offset"), s.numbers("scale")
	return eachNumber(f32, func(v float64, column, width int) (float64, error) {
		o, err := columnValue(offset, column, width, 0)
		if err != nil {
			return 0, err
		}
		f, err := columnValue(scale, column, width, 1)
		return (v - o) * f, err
	}), nil
}

// imputer puts values in the place of others.
type imputer struct {
	values   []float64
	replaced float64
}

func newImputer(s *spec) (*imputer, error) {
	m := &imputer{s.numbers("imputed_value_floats"), float64(s.float("replaced_value_float", 0))}
	if ints := s.ints("imputed_value_int64s"); len(m.values) == 0 && len(ints) > 0 {
		for _, v := range ints {
			m.values = append(m.values, float64(v))
		}
		m.replaced = float64(s.int("replaced_value_int64", 0))
	}
	if len(m.values) == 0 {
		return nil, fmt.Errorf("has no values to put in")
	}
	return m, nil
}

// missing says whether a number is replaced.
func (m *imputer) missing(v float64) bool {
	return v == m.replaced || math.IsNaN(v) && math.IsNaN(m.replaced)
}

func buildImputer(s *spec) (operation, error) {
	m, err := newImputer(s)
	if err != nil {
		return nil, err
	}
	return eachNumber(0, func(v float64, column, width int) (float64, error) {
		if !m.missing(v) {
			return v, nil
		}
		return columnValue(m.values, column, width, 0)
	}), nil
}

func buildNormalizer(s *spec) (operation, error) {
	norm := s.str("norm", "MAX")
	if !slices.Contains([]string{"MAX", "L1", "L2"}, norm) {
		return nil, fmt.Errorf("norm %q is not known", norm)
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		count, width, err := rows(x)
		if err != nil {
			return err
		}
		out, err := c.output(0, f32, x.shape...)
		if err != nil {
			return err
		}
		row := make([]float64, 0, width)
		for i := range count {
			row = rowOf(row, x, i, width)
			var d float64
			for _, v := range row {
				switch norm {
				case "MAX":
					d = max(d, math.Abs(v))
				case "L1":
					d += math.Abs(v)
				default:
					d += v * v
				}
			}
			if norm == "L2" {
				d = math.Sqrt(d)
			}
			if d == 0 {
				d = 1
			}
			for k, v := range row {
				view[float32](out)[i*width+k] = float32(v / d)
			}
		}
		return nil
	}, nil
}

func buildFeatureVectorizer(s *spec) (operation, error) {
	widths := s.ints("inputdimensions")
	return func(c *call) error {
		if len(widths) != len(c.in) || len(c.in) == 0 {
			return fmt.Errorf("%d widths for %d inputs", len(widths), len(c.in))
		}
		count, total := 0, 0
		for i := range c.in {
			x, err := c.need(i)
			if err != nil {
				return err
			}
			n, _, err := featureRows(x)
			if err != nil || (i > 0 && n != count) || widths[i] < 0 {
				return fmt.Errorf("inputs do not fit: %s", describeAll(c.in))
			}
			count, total = n, total+widths[i]
		}
		out, err := c.output(0, f32, count, total)
		if err != nil {
			return err
		}
		dst := view[float32](out)
		clear(dst)
		at := 0
		for i, x := range c.in {
			_, width, _ := featureRows(x)
			for r := range count {
				for k := range min(width, widths[i]) {
					dst[r*total+at+k] = float32(x.at(r*width + k))
				}
			}
			at += widths[i]
		}
		return nil
	}, nil
}

// featureRows sees a vector as a column.
func featureRows(x *tensor) (count, width int, err error) {
	if len(x.shape) == 1 {
		return x.shape[0], 1, nil
	}
	return rows(x)
}

// mapKey is an element as a key: a string, or a number's bits.
func mapKey(t *tensor, i int) any {
	switch t.dt {
	case text:
		return view[string](t)[i]
	case f32, f64, f16, bf16:
		v := t.at(i)
		if math.IsNaN(v) {
			return "NaN" // NaN is a key like others
		}
		return v
	case i64:
		return view[int64](t)[i]
	}
	return int64(t.at(i))
}

// labelList reads one side of a LabelEncoder.
func labelList(s *spec, side string) *tensor {
	if a := s.node.Attrs[side+"_tensor"]; a != nil && a.T != nil {
		return fromFile(a.T)
	}
	if v := s.strs(side + "_strings"); v != nil {
		return of(text, slices.Clone(v), len(v))
	}
	if a := s.node.Attrs[side+"_int64s"]; a != nil {
		return of(i64, slices.Clone(a.Ints), len(a.Ints))
	}
	if v := s.floats(side + "_floats"); v != nil {
		return of(f32, slices.Clone(v), len(v))
	}
	return nil
}

func buildLabelEncoder(s *spec) (operation, error) {
	if v := s.strs("classes_strings"); v != nil { // ai.onnx.ml 1
		return encoder(of(text, slices.Clone(v), len(v)), s)
	}
	keys, values := labelList(s, "keys"), labelList(s, "values")
	if keys == nil || values == nil || keys.n != values.n {
		return nil, fmt.Errorf("has no keys and values of one length")
	}
	otherwise := newTensor(values.dt, 1)
	switch values.dt {
	case text:
		view[string](otherwise)[0] = s.str("default_string", "_Unused")
	case i64:
		view[int64](otherwise)[0] = int64(s.int("default_int64", -1))
	case f32:
		view[float32](otherwise)[0] = s.float("default_float", float32(math.Copysign(0, -1)))
	}
	if a := s.node.Attrs["default_tensor"]; a != nil && a.T != nil {
		otherwise = fromFile(a.T)
		if otherwise.n != 1 || otherwise.dt != values.dt {
			return nil, fmt.Errorf("default is %s, want one %v", otherwise.describe(), values.dt)
		}
	}
	return mapping(keys, values, otherwise), nil
}

// mapping looks elements up.
func mapping(keys, values, otherwise *tensor) operation {
	places := map[any]int{}
	for i := range keys.n {
		if k := mapKey(keys, i); places[k] == 0 {
			places[k] = i + 1
		}
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if x.dt != keys.dt {
			return fmt.Errorf("is given %v, its keys are %v", x.dt, keys.dt)
		}
		out, err := c.output(0, values.dt, x.shape...)
		if err != nil {
			return err
		}
		for i := range x.n {
			if at := places[mapKey(x, i)]; at > 0 {
				copyRange(out, i, values, at-1, 1)
			} else {
				copyRange(out, i, otherwise, 0, 1)
			}
		}
		return nil
	}
}

// encoder maps names to their places, and places to names.
func encoder(names *tensor, s *spec) (operation, error) {
	places := newTensor(i64, names.n)
	for i := range names.n {
		view[int64](places)[i] = int64(i)
	}
	return twoWay(names, places, s), nil
}

// twoWay maps strings to integers or back, by what it is given.
func twoWay(names, numbers *tensor, s *spec) operation {
	name, number := newTensor(text, 1), newTensor(i64, 1)
	view[string](name)[0], view[int64](number)[0] = s.str("default_string", "_Unused"), int64(s.int("default_int64", -1))
	there, back := mapping(names, numbers, number), mapping(numbers, names, name)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if x.dt == text {
			return there(c)
		}
		return back(c)
	}
}

func buildCategoryMapper(s *spec) (operation, error) {
	names, numbers := labelListOf(s, "cats_strings"), labelListOf(s, "cats_int64s")
	if names == nil || numbers == nil || names.n != numbers.n {
		return nil, fmt.Errorf("has no categories of one length")
	}
	return twoWay(names, numbers, s), nil
}

func labelListOf(s *spec, name string) *tensor {
	a := s.node.Attrs[name]
	switch {
	case a == nil:
		return nil
	case len(a.Strings) > 0:
		return of(text, slices.Clone(a.Strings), len(a.Strings))
	}
	return of(i64, slices.Clone(a.Ints), len(a.Ints))
}

func buildOneHotEncoder(s *spec) (operation, error) {
	cats, zeros := labelListOf(s, "cats_strings"), s.int("zeros", 1) == 1
	if cats == nil {
		cats = labelListOf(s, "cats_int64s")
	}
	if cats == nil || cats.n == 0 {
		return nil, fmt.Errorf("has no categories")
	}
	places := map[any]int{}
	for i := range cats.n {
		places[mapKey(cats, i)] = i + 1
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if (x.dt == text) != (cats.dt == text) {
			return fmt.Errorf("is given %v, its categories are %v", x.dt, cats.dt)
		}
		out, err := c.output(0, f32, append(slices.Clone(x.shape), cats.n)...)
		if err != nil {
			return err
		}
		dst := view[float32](out)
		clear(dst)
		for i := range x.n {
			k := mapKey(x, i)
			if f, ok := k.(float64); ok {
				k = int64(f)
			}
			switch at := places[k]; {
			case at > 0:
				dst[i*cats.n+at-1] = 1
			case !zeros:
				return fmt.Errorf("%v is in no category", k)
			}
		}
		return nil
	}, nil
}

// buildZipMap gives every row of scores the classes' names: a sequence of
// maps.
func buildZipMap(s *spec) (operation, error) {
	labels := classesOf(s, "classlabels_int64s")
	var keys *tensor
	if len(labels.strs) > 0 {
		keys = of(text, slices.Clone(labels.strs), len(labels.strs))
	} else {
		keys = newTensor(i64, len(labels.ints))
		for i, v := range labels.ints {
			view[int64](keys)[i] = int64(v)
		}
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		count, width, err := rows(x)
		if err != nil {
			return err
		}
		if width != keys.n || x.dt != f32 {
			return fmt.Errorf("%s does not hold the scores of %d classes", x.describe(), keys.n)
		}
		maps := make([]*tensor, count)
		for i := range maps {
			values := newTensor(f32, width)
			copyRange(values, 0, x, i*width, width)
			maps[i] = &tensor{kind: onnxfile.MapKind, seq: []*tensor{keys, values}}
		}
		c.putSequence(0, maps)
		return nil
	}, nil
}

// mapOf returns a map's keys and values.
func mapOf(t *tensor) (keys, values *tensor, err error) {
	if t.kind != onnxfile.MapKind || len(t.seq) != 2 || t.seq[0].n != t.seq[1].n {
		return nil, nil, fmt.Errorf("wants a map, got %s", t.describe())
	}
	return t.seq[0], t.seq[1], nil
}

func buildDictVectorizer(s *spec) (operation, error) {
	words := labelListOf(s, "string_vocabulary")
	if words == nil {
		words = labelListOf(s, "int64_vocabulary")
	}
	if words == nil {
		return nil, fmt.Errorf("has no vocabulary")
	}
	places := map[any]int{}
	for i := range words.n {
		places[mapKey(words, i)] = i
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		list := []*tensor{x}
		if x.kind == onnxfile.SequenceKind {
			list = x.seq
		}
		dt := f32
		for _, m := range list {
			_, values, err := mapOf(m)
			if err != nil {
				return err
			}
			dt = values.dt
		}
		out, err := c.output(0, dt, len(list), words.n)
		if err != nil {
			return err
		}
		fillWith(out, newTensor(dt, 1))
		for r, m := range list {
			keys, values, _ := mapOf(m)
			for i := range keys.n {
				if at, ok := places[mapKey(keys, i)]; ok {
					copyRange(out, r*words.n+at, values, i, 1)
				}
			}
		}
		return nil
	}, nil
}

func buildCastMap(s *spec) (operation, error) {
	to, sparse, most := s.str("cast_to", "TO_FLOAT"), s.str("map_form", "DENSE") == "SPARSE", s.int("max_map", 1)
	dt, ok := map[string]onnxElem{"TO_FLOAT": f32, "TO_INT64": i64, "TO_STRING": text}[to]
	if !ok {
		return nil, fmt.Errorf("cannot cast %q", to)
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		keys, values, err := mapOf(x)
		if err != nil {
			return err
		}
		order := make([]int, keys.n)
		places, err := keys.ints(nil)
		if err != nil {
			return err
		}
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return places[a] - places[b] })
		n := keys.n
		if sparse {
			n = most
		}
		cells := newTensor(values.dt, n)
		for k, i := range order {
			if sparse {
				k = places[i]
			}
			if k < 0 || k >= n {
				return fmt.Errorf("key %d is outside a map of %d", k, n)
			}
			copyRange(cells, k, values, i, 1)
		}
		out, err := c.output(0, dt, 1, n)
		if err != nil {
			return err
		}
		if values.dt == text && dt != text {
			for i, v := range view[string](cells) {
				if v == "" {
					view[string](cells)[i] = strconv.Itoa(0)
				}
			}
		}
		return cast(out, cells)
	}, nil
}
