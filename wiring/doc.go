// Package wiring turns a connectome and a recipe into a plan: which module
// fills which region, which tracts carry signals between them, and with what
// arithmetic. It runs no goroutines; package runtime executes a plan, package
// learn fits its tracts.
//
// # From connectome to plan
//
// A [Recipe] is a few lines of YAML that say which senses and effectors there
// are and where they go: by atlas role ("primary visual"), by region name, or
// by graph rule (strongest region of a lobe). [Build] applies it to a
// connectome of any atlas. It keeps each region's strongest tracts and the
// paths by which every sense reaches the speech region in time, derives delays
// from tract lengths, and scales weights so that the untrained plan is an
// echo-state network: its spectral radius is 1. A [BuildReport] says what went
// where and why; a [PlaceError] teaches how to place by hand.
//
// # The arithmetic
//
// Every region j holds a state h of d numbers. In one tick, with
// n(h) = h / sqrt(mean(h²) + ε) (Zhang and Sennrich 2019):
//
//	z_ij(t) = V_ij n(h_i(t))                                         axon, r numbers
//	g_ij(t) = σ(β_ij + a_ij·z_ij(t−δ_ij) + c_ij·n(h_j(t−1)))         gate
//	u_j(t)  = Σ_i s_ij g_ij(t) U_ij z_ij(t−δ_ij) + Σ_k E_k x_k + b_j  synapses and senses
//	h_j(t)  = (1−λ_j) h_j(t−1) + λ_j tanh(u_j(t))                    leak
//
// A region may hold a frozen module besides ([Part]): it reads n(h_j(t)) through
// a learned adapter, and what it makes of it joins u_j(t+1) through another
// (package wiring/part).
//
// [Cell.Step] computes it, for a batch and without allocation; learning and
// running call the same code, so both give the same bits. The gate reads the
// signal where it arrives, so a region needs nothing but its own state and its
// messages. What a region sends at tick t arrives at t + δ, δ ≥ 1: every cycle
// has delay. Senses are present during the whole episode.
//
// A plan stares at its input for some ticks, then speaks one word a tick. The
// [Readout] adds to the frozen language module's scores what the language
// region knows; the language module's state after each word comes back into
// the feedback region in the next tick, as hearing oneself speak.
//
// A plan may have an episodic [Memory] beside its tracts, of which every
// training episode becomes a part: what one sense gave, and the caption that
// went with it. What is seen brings back the captions of the nearest episodes,
// and their blend enters the hippocampus as a sense of kind [KindMemory]. In
// training nothing recalls an episode of its own group, so that a plan learns
// to use memory as it will need it, on what it never saw.
//
// # On disk
//
// A plan is a directory that people can read and diff ([Plan.Save], [Load]):
// plan.yaml, tracts.tsv, tracts.safetensors and memory.tsv with
// memory.safetensors once it is trained, and history.jsonl. Mistakes in them are reported with file, line and column.
//
// [DefaultPlan] is the trained plan that ships with wire.
package wiring
