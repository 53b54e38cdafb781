// Package frozen runs the frozen modules of a plan: what they make of
// pictures, sounds and texts for its senses, and the language modules of its
// effectors. Learning and running use the same calls, so that what a plan
// learned from is what it meets.
//
// [Describe] tells package wiring what a recipe's modules give, before a plan
// is built; [Open] opens those of a plan and insists on the ones it was trained
// with.
package frozen
