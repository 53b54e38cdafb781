// Package examples makes examples to learn from of data sets: the packaged
// ones, one's own, and mixtures of both.
//
//	data, err := own.Open(ctx, "flowers", own.Options{})
//	train, val, test := examples.Split(data)
//
// [Fit] completes a recipe with what data say, and [Check] refuses data that do
// not fit a plan; both give what data bind by themselves to the senses that take
// it.
package examples
