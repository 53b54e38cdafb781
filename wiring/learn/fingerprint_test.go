package learn

import (
	"reflect"
	"testing"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// everything returns a plan, data and options in which every exported field
// holds something.
func everything() (*wiring.Plan, *Data, *Options) {
	p := &wiring.Plan{
		Ticks: wiring.Ticks{Settle: 3, Max: 2}, Regions: []wiring.Region{{Label: "a"}}, Tracts: []wiring.Tract{{From: 0}},
		Senses:    []wiring.Sense{{Name: "s", Encoders: []wiring.Encoder{{Kind: "text"}}, Regions: []int{0}}},
		Effectors: []wiring.Effector{{Name: "e", Regions: []int{0}, Feedback: []int{0}, Settings: wiring.Settings{"k": "v"}}},
		Tasks:     []wiring.Task{{Kind: "t", Settings: wiring.Settings{"k": 1}}},
		Rates:     &wiring.Rates{Leak: []float64{1}, Bias: []float64{1}, Input: [][]float64{{1}}}, Readout: &wiring.Readout{Outputs: []string{"o"}, Weights: []float64{1}},
		Modules: []wiring.ModuleRef{{Name: "m"}}, History: []wiring.Event{{What: "w"}}, Burst: &wiring.Burst{Gain: 1, Rise: 1, Fall: 1, Regions: []int{0}},
		Params: &wiring.Params{Layout: []wiring.Tensor{{Name: "t", Shape: []int{1}}}, Data: []float32{1}, Lists: map[string][]int32{"l": {1}}},
	}
	target := &task.Target{Name: "n", Rows: []task.Row{{Classes: []int32{1}, Values: []float32{1}}}, Context: []float32{1}, Feedback: []float32{1}}
	sample := Sample{ID: "x", Inputs: [][]float32{{1}}, Targets: [][]*task.Target{{target}}, Blur: []float32{1}}
	other := sample
	other.Targets = [][]*task.Target{{{Name: "m"}}}
	d := &Data{
		Senses: []string{"s"}, Numbers: []int{1}, Train: []Sample{sample}, Val: []Sample{other},
		Aims: []Aim{
			{Loss: &task.CrossEntropy{Parts: []task.Reading{{Name: "p"}}, ClassWeight: []float32{1}}, Lists: map[string][]int32{"l": {1}}, Settings: wiring.Settings{"k": 1.5}},
			{Loss: &task.Alone{Part: task.Reading{Name: "q"}}, Lists: map[string][]int32{"l": {1}}, Settings: wiring.Settings{"k": 1.5}},
		},
	}
	o := Default()
	return p, d, &o
}

// TestFingerprintSeesEveryField changes each exported field of plan, data and
// options in turn: a checkpoint of the changed run is another's, unless the
// field is on the list of exemptions.
func TestFingerprintSeesEveryField(t *testing.T) {
	p, d, o := everything()
	before := fingerprint(p, d, *o)
	checked := map[reflect.Type]map[string]bool{}
	for _, root := range []any{p, d, o} {
		eachField(reflect.ValueOf(root), func(owner reflect.Type, name string, v reflect.Value) {
			if checked[owner] == nil {
				checked[owner] = map[string]bool{}
			}
			checked[owner][name] = true
			_, free := exempt[owner][name]
			undo, ok := change(v)
			if !ok {
				if !free {
					t.Errorf("%s.%s, a %s, cannot be hashed and is not exempt", owner, name, v.Type())
				}
				return
			}
			after := fingerprint(p, d, *o)
			undo()
			if (after != before) == free {
				t.Errorf("%s.%s: changing it changes the fingerprint: %t; it is exempt: %t", owner, name, after != before, free)
			}
		})
	}
	for owner, fields := range exempt {
		for name, why := range fields {
			if !checked[owner][name] {
				t.Errorf("%s.%s is exempt and is no field that a run has", owner, name)
			}
			if why == "" {
				t.Errorf("%s.%s is exempt without a reason", owner, name)
			}
		}
	}
	if fingerprint(p, d, *o) != before {
		t.Fatal("the test did not undo its changes")
	}
}

// eachField calls do for the exported fields of a struct and of all structs
// that its fields that are hashed hold, the first of every list.
func eachField(v reflect.Value, do func(owner reflect.Type, name string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			eachField(v.Elem(), do)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachField(v.Index(i), do)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			do(v.Type(), f.Name, v.Field(i))
			if _, free := exempt[v.Type()][f.Name]; !free {
				eachField(v.Field(i), do)
			}
		}
	}
}

// change gives a field another value; ok is false where there is none that
// could be hashed.
func change(v reflect.Value) (undo func(), ok bool) {
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	undo = func() { v.Set(old) }
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(v.Float() + 0.5)
	case reflect.String:
		v.SetString(v.String() + "'")
	case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			if v.Kind() != reflect.Slice {
				return undo, true // nothing to take away: the field is exempt or empty
			}
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			return undo, true
		}
		v.SetZero()
	case reflect.Struct, reflect.Array:
		if v.IsZero() {
			return nested(v, undo)
		}
		v.SetZero()
	default:
		return undo, false
	}
	return undo, true
}

// nested changes the first field of a struct that can be changed.
func nested(v reflect.Value, undo func()) (func(), bool) {
	if v.Kind() == reflect.Array {
		change(v.Index(0))
		return undo, true
	}
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			if _, ok := change(v.Field(i)); ok {
				return undo, true
			}
		}
	}
	return undo, false
}
