package goengine_test

import (
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/moduletest"
)

func TestGradientsClassical(t *testing.T) {
	ml := func(op string, n moduletest.Node) moduletest.Node { n.Op, n.Domain = op, "ai.onnx.ml"; return n }
	values := func(seed uint64, lo, hi float64, n int) []float32 { return spaced(seed, lo, hi, n).F32 }
	x := spaced(1, -1, 1, 3, 4)
	var cases []gradCase
	add := func(c gradCase) {
		c.in, c.single = tensors{x}, true // they give float32 whatever they are given
		cases = append(cases, c)
	}
	add(gradCase{node: ml("Scaler", moduletest.Node{Reals: map[string][]float32{"offset": {0.5}, "scale": {1, 2, 3, 4}}})})
	for _, norm := range []string{"MAX", "L1", "L2"} {
		add(gradCase{name: norm, node: ml("Normalizer", moduletest.Node{Strings: words{"norm": norm}})})
	}
	for _, post := range []string{"NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"} {
		add(gradCase{name: post, node: ml("LinearRegressor", moduletest.Node{Ints: numbers{"targets": 3}, Strings: words{"post_transform": post},
			Reals: map[string][]float32{"coefficients": values(2, -1, 1, 12), "intercepts": values(3, -1, 1, 3)}})})
		add(gradCase{name: post, outs: 2, node: ml("LinearClassifier", moduletest.Node{Lists: lists{"classlabels_ints": {0, 1, 2}}, Strings: words{"post_transform": post},
			Reals: map[string][]float32{"coefficients": values(2, -1, 1, 12), "intercepts": values(3, -1, 1, 3)}})})
	}
	add(gradCase{name: "PROBIT", node: ml("LinearRegressor", moduletest.Node{Ints: numbers{"targets": 2}, Strings: words{"post_transform": "PROBIT"},
		Reals: map[string][]float32{"coefficients": values(2, -0.08, 0.08, 8), "intercepts": {0.4, 0.7}}})})
	add(gradCase{name: "two classes", outs: 2, node: ml("LinearClassifier", moduletest.Node{Lists: lists{"classlabels_ints": {0, 1}}, Strings: words{"post_transform": "LOGISTIC"},
		Reals: map[string][]float32{"coefficients": values(2, -1, 1, 4), "intercepts": {0.3}}})})
	for _, kernel := range []string{"LINEAR", "POLY", "RBF", "SIGMOID"} {
		params := []float32{0.5, 1.5, 3}
		add(gradCase{name: kernel, node: ml("SVMRegressor", moduletest.Node{Ints: numbers{"n_supports": 5}, Strings: words{"kernel_type": kernel},
			Reals: map[string][]float32{"coefficients": values(2, -1, 1, 5), "support_vectors": values(3, -1, 1, 20), "rho": {0.3}, "kernel_params": params}})})
		machine := moduletest.Node{Lists: lists{"classlabels_ints": {0, 1, 2}, "vectors_per_class": {2, 1, 2}}, Strings: words{"kernel_type": kernel},
			Reals: map[string][]float32{"coefficients": values(2, -1, 1, 10), "support_vectors": values(3, -1, 1, 20), "rho": {0.3, -0.2, 0.1}, "kernel_params": params}}
		add(gradCase{name: kernel, outs: 2, node: ml("SVMClassifier", machine)})
		machine.Reals = map[string][]float32{"prob_a": {-1.2, -0.9, -1.4}, "prob_b": {0.1, 0, -0.2}, "coefficients": machine.Reals["coefficients"], "support_vectors": machine.Reals["support_vectors"],
			"rho": machine.Reals["rho"], "kernel_params": params}
		add(gradCase{name: kernel + " probabilities", outs: 2, node: ml("SVMClassifier", machine)})
	}
	add(gradCase{name: "linear", outs: 2, node: ml("SVMClassifier", moduletest.Node{Lists: lists{"classlabels_ints": {0, 1, 2}},
		Reals: map[string][]float32{"coefficients": values(2, -1, 1, 12), "rho": {0.3}}})})
	cases = append(cases, gradCase{single: true, node: ml("FeatureVectorizer", moduletest.Node{Lists: lists{"inputdimensions": {4, 3}}}), in: tensors{x, spaced(2, -1, 1, 3, 2)}})
	cases = append(cases, gradCase{node: ml("ArrayFeatureExtractor", moduletest.Node{}), in: tensors{x, ints(2, 0)}})
	// the number that is put in is far from all that are there
	cases = append(cases, gradCase{node: ml("Imputer", moduletest.Node{Reals: map[string][]float32{"imputed_value_floats": {2}}, Floats: reals{"replaced_value_float": 7}}), in: tensors{x}})
	checkCases(t, cases)
}

func TestGradientsTrainingSteps(t *testing.T) {
	step := func(op string, f reals, mode string) moduletest.Node {
		n := moduletest.Node{Op: op, Domain: "ai.onnx.preview.training", Floats: f}
		if mode != "" {
			n.Strings = words{"mode": mode}
		}
		return n
	}
	rate := modules.Floats([]float32{0.3})
	x := func(seed uint64) *modules.Tensor { return spaced(seed, -1, 1, 2, 3) }
	positive := func(seed uint64) *modules.Tensor { return spaced(seed, 0.5, 1.5, 2, 3) }
	late := modules.Ints([]int64{3})
	adam := reals{"norm_coefficient": 0.2, "norm_coefficient_post": 0.1, "alpha": 0.8, "beta": 0.7}
	momentum := reals{"norm_coefficient": 0.2, "alpha": 0.8, "beta": 0.7}
	checkCases(t, []gradCase{
		{node: step("Adagrad", reals{"norm_coefficient": 0.2, "decay_factor": 0.1}, ""), in: tensors{rate, late, x(1), x(2), x(3), x(4), positive(5), positive(6)}, outs: 4},
		{node: step("Adam", adam, ""), in: tensors{rate, late, x(1), x(2), x(3), positive(4)}, outs: 3},
		{node: step("Momentum", momentum, "standard"), in: tensors{rate, late, x(1), x(2), x(3)}, outs: 2},
		{name: "nesterov", node: step("Momentum", momentum, "nesterov"), in: tensors{rate, late, x(1), x(2), x(3)}, outs: 2},
	})
}
