// Package experiment runs a plan beside null models of its wiring and controls,
// each taught anew with several seeds, and keeps what came of it so that it can
// be believed.
//
// A [Spec] says before anything is run what is compared, on what, by which
// metric, with how many networks and seeds, and what the smallest effect of
// interest is. [Open] writes a record of it with checksums of plan, data and
// modules; every result is a line that holds the checksum of the one before, the
// first that of the record. A file that was changed is found out, and a run that
// was interrupted goes on where it stopped.
package experiment
