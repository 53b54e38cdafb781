// Package doctor examines a connectome and the report of its reader for what
// commonly goes wrong with such files: which axis is the source, which label
// belongs to which row, whether weights, lengths and coordinates are what
// they seem. Each [Finding] says how bad it is, what was seen, and what to do.
package doctor
