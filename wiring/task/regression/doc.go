// Package regression is the task of predicting numbers: a linear effector is
// read once, when the input has settled, and learns by half the squared error
// in units of each number's standard deviation over the training examples.
// A number that is not known (NaN) asks for nothing.
package regression
