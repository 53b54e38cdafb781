// Package task says what a plan learns, in terms that know nothing of any
// particular task: examples, targets, rows and losses.
//
// An [Example] is what a person has: a picture and its label, a sound and a
// sentence, a series. A task, one small package each below this one, turns what
// is wanted of an example into a [Target], numbers: which state of an effector
// is read at which tick ([Row]), and what it should predict. A [Loss] compares
// predictions with rows and gives their gradients. Package wiring/learn needs
// no more than that to learn; package runtime/eval scores what was answered.
package task
