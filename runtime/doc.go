// Package runtime executes a plan as a Kahn process network.
//
// Every region is a goroutine, every tract a FIFO channel of capacity δ+1
// that starts with δ zero messages, where δ is the tract's delay in ticks.
// In each tick a region takes exactly one message from every incoming tract,
// steps, and sends exactly one on every outgoing tract:
//
//	for every tick
//	    take   one message from each incoming tract, in tract order
//	    drive  add what senses and the spoken word bring in
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
// A [Network] is made once from a plan with [New] and runs [Episode]s. What
// is said is decided by a [Voice], a process of its own that listens to the
// language region and whose words come back into the network one tick later,
// as hearing oneself speak. Package runtime/caption has the voices that make
// captions.
//
// A [Trace] records states, gates, flow and times, and writes them for
// Chrome's trace viewer and Perfetto.
package runtime
