// Package wiring turns a connectome and a recipe into a plan: which module
// fills which region, which tracts carry signals between them, and with what
// arithmetic. It runs no goroutines; package runtime executes a plan.
package wiring
