// Package spread lets many machines work on one thing, through NATS.
//
// [Open] connects to a NATS server, or runs one in this process. Over it a
// [Queue] gives jobs away and takes their results:
//
//	coordinator                                worker
//	  Offer   inputs, what must be alike   →     Open    compares, joins or stays out
//	  Run     a job each, by its key       →     Do      says now and then that it is at it
//	          a result each, by its key    ←             stores it unless there is one
//
// A job is a message in a JetStream stream, a subject of its own by its key, which
// is a hash of what the job is: it cannot stand in the stream twice. Its result is a
// value in a bucket under the same key, created only where there is none; the message
// goes away after that. A worker that is killed leaves its message, which the next
// one gets. One that was only slow, or cut off, does the work of another once more,
// and its result is dropped, or the other's: each job has one result, and no clock
// decides about it. The coordinator writes a result down before it lets go of
// anything, and asks again for jobs that neither the stream nor the bucket knows.
//
// [Experiment] and [Join] put the runs of an experiment on such a queue, [Evaluation]
// and [JoinEvaluation] the pieces of an evaluation.
package spread
