// Package live asks a plan while its senses go on, each by its own clock: a
// folder in which pictures appear, a microphone, frames of a camera, lines of
// JSON, a series.
//
// A [Source] gives [Sample]s, each with a stamp: the time since the stream began
// at which it holds. Every sense has a queue of bounded length and a [Policy] of
// what happens when it is full. An [Aligner] turns samples into [Step]s. With a
// period Δ,
//
//	step k, at t_k = t_0 + kΔ, takes of every sense the latest sample stamped ≤ t_k,
//	or nothing where that is older than the sense's maximum age;
//
// t_0 is the stamp of the first sample. Without a period there is a step at every
// stamp. A step is taken when every sense whose policy is [Block] is known to have
// given all that it will up to t_k, or after a maximum wait. A sense is known to
// have, when it gave a sample stamped t_k or later, when its source is past t_k,
// or ended; what is stamped on its arrival is past whatever the clock is past.
// Where no sense blocks the clock alone says when. A sample is late, and dropped,
// that is stamped at or before the last step, or its sense's last sample. Everything
// that is dropped is counted ([Counts]).
//
// So a stream of files has the same steps every time it is run, however long
// anything takes; and one of live senses has bounded memory, whatever is slow.
//
// [Run] answers each step with a session: a plan that takes a series goes on from
// step to step, to the bits of one long series; to any other a step is an episode
// from silence, as it was taught. What it was given and did can be recorded and
// done again (package runtime/record), drops included.
package live
