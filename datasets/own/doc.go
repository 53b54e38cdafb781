// Package own reads the data that people already have: folders of pictures or
// sounds, tables, captions, arrays, sentences.
//
//	d, err := own.Open(ctx, "flowers", own.Options{})
//	for _, row := range d.Split(datasets.Train) {
//		picture, err := row.Values[d.Inputs[0].Column].Picture() // decoded only now
//		...
//	}
//
// # The value
//
// A [Dataset] has columns with types and rows with values. A [Binding] says
// which sense of a plan a column is for, or which effector learns it. The
// package knows nothing of plans: what a sense or an effector is called is the
// caller's business, and [Options] carries the names.
//
// Pictures and sounds stay on the disk; a row holds their paths and
// [Value.Picture] and [Value.Sound] decode them. Numbers are in memory.
//
// # Nothing is dropped silently
//
// Every row is checked, and what is wrong with it is a [Problem] with a file,
// a line and a column. A data set with a bad row does not open: [BadRowsError]
// lists the first few and counts the rest. With Options.AllowBad the bad rows
// are left out and stay in [Report].
//
// # Splits
//
// A given split (a column, or folders called train, validation and test) is
// kept. Otherwise a hash of the seed and of the row's group decides, so that
// rows that are added later leave the others where they are. A group is never
// divided; rows that share a picture, a sound or all of their inputs, bit for
// bit, are one group whatever they are called.
package own
