// Package labelling is the task of choosing labels: one of several, or any
// number of them.
//
// A softmax effector is read once, when the input has settled. With one label
// an example the loss is −log of its probability, where rare labels may count
// more (setting `balance: true` weighs each label by one over its frequency);
// with several (`many` of the head) each label's own logistic loss.
package labelling
