// Package prepare turns examples into the numbers that package learn learns
// from: it encodes inputs with the plan's frozen modules, keeping what they
// gave in a cache, lets every task say what it wants of an example, and makes
// the plan's memory.
//
// A kind of task is known by [Register], which the packages below wiring/task
// call; a plan's tasks name kinds.
package prepare
