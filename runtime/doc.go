// Package runtime executes a plan as a Kahn process network.
//
// A process is a goroutine that steps one or more regions ([Config.Groups]).
// Every tract has a delay of δ ≥ 1 ticks, and brings nothing in the first δ. In
// each tick a process takes one message from every process that tracts come
// from, steps its regions, and sends one to every process that tracts lead to:
//
//	for every tick
//	    take   one message from each source: all its regions' axons of a tick
//	    for every region
//	        drive  add what senses and effectors bring in
//	        step   gates, synapses, state, axons (wiring.Cell)
//	    send   one message to each target
//
// From this follow the properties that the tests hold it to: results do not
// depend on scheduling (Kahn 1974), so the same plan and input give the same
// bits for any GOMAXPROCS and any grouping, and the same as stepping the
// regions one after the other; loops cannot deadlock because every tract has
// δ ≥ 1; memory is bounded because no process can run ahead of a target by more
// than δ+1 ticks. Messages are views into a ring of buffers that the source
// reuses: a tick allocates nothing.
//
// A batch is many requests side by side, and no bit of one depends on the
// others: see [Outcome].
//
// A [Network] is made once from a plan with [New] and runs [Episode]s. What an
// effector does is decided by an [Actor], a process of its own that reads the
// states of the effector's regions after every tick; what it does may come
// back into the network one tick later, as hearing oneself speak. An episode
// ends when all its actors are done with all its requests. Package runtime/answer has the actors that
// say sentences and choose labels.
//
// A [Trace] records states, gates, flow and times, and writes them for
// Chrome's trace viewer and Perfetto.
package runtime
