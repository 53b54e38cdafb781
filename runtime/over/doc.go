// Package over steps one plan in several processes, on one machine or many, to the
// bits of one.
//
// A coordinator has a plan and an episode; workers have processors. Each steps some
// of the plan's regions ([runtime.Divide]), and what tracts carry between two of them
// travels as one message a tick:
//
//	coordinator                                  worker
//	  Gather  calls for workers             →     Serve   says who it is
//	          gives a seat, the plan        →             fetches the plan, compares
//	  Begin   (of each episode)             →     Join    its regions, tick by tick
//	          axons, orders of beams, end   ↔             axons, faults
//	  Close                                 →             is free for another plan
//
// A [Transport] may lose frames, deliver them twice and in any order, as core NATS
// does when a connection breaks. So every message has a number in its lane (plan,
// session, episode, lane, tick); who sends it keeps it until it is acknowledged, and
// sends it again after a while or when the connection is back; who takes it gives it
// on in order and once. Nobody is sent more than it has room for. Acknowledgements
// travel with what goes the other way anyhow.
//
// Before a worker steps anything it and the coordinator compare the program, the
// kernels and the fingerprint of the plan's parameters. A worker that is lost ends the
// episode with a [LostError], which says that it may be run again with another.
package over
