// Package cputime is the clock of benchmarks: processor time of the calling
// thread or of the process, which time spent waiting for a busy processor does not count
// towards. Callers lock the goroutine to its thread (runtime.LockOSThread)
// while they measure.
package cputime
