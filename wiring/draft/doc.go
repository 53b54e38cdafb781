// Package draft writes recipes for the tasks, the modules and the data that a
// person names: a page of YAML with what the modules give, what the data have,
// and what may be changed, which builds as it stands.
package draft
