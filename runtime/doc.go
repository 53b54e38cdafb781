// Package runtime executes a plan as a Kahn process network.
//
// Every region is a goroutine, every tract a FIFO channel of capacity δ+1
// that starts with δ zero messages, where δ is the tract's delay in ticks.
// In each tick a region takes exactly one message from every incoming tract,
// steps, and sends exactly one on every outgoing tract:
//
//	for every tick
//	    take   one message from each incoming tract, in tract order
//	    drive  add what senses and effectors bring in
//	    step   gates, synapses, state, axons (wiring.Cell)
//	    send   one message on each outgoing tract
//
// From this follow the properties that the tests hold it to: results do not
// depend on scheduling (Kahn 1974), so the same plan and input give the same
// bits for any GOMAXPROCS and the same as stepping the regions one after the
// other; loops cannot deadlock because every tract has δ ≥ 1; memory is
// bounded because no region can run ahead of a neighbour by more than δ+1
// ticks. Messages are views into a ring of buffers that the source reuses:
// a tick allocates nothing.
//
// A [Network] is made once from a plan with [New] and runs [Episode]s. What an
// effector does is decided by an [Actor], a process of its own that reads the
// states of the effector's regions after every tick; what it does may come
// back into the network one tick later, as hearing oneself speak. An episode
// ends when all its actors are done. Package runtime/answer has the actors that
// say sentences and choose labels.
//
// A [Trace] records states, gates, flow and times, and writes them for
// Chrome's trace viewer and Perfetto.
package runtime
