// Package cost says beforehand what learning a plan will take: its arithmetic,
// counted; its time and memory, measured on a few steps of the very run.
package cost
