// Package audio decodes sounds and changes their rate.
//
// [Load] and [Decode] read WAV (integers of 8 to 32 bits, floats, A-law and
// µ-law, with plain or extensible headers), the same as AIFF and AIFF-C, Ogg
// Vorbis, MP3 and FLAC; the format is told by the content. A [Clip] is mono: channels are averaged when
// a file is decoded, in a stream, so memory is bounded by the mono length.
//
// # Own code here, and why
//
// WAV and AIFF are read here because the Go libraries read neither floats nor
// extensible headers reliably. [Clip.Resample] is a windowed-sinc resampler
// (Smith, "Digital Audio Resampling", 2002; the "kaiser_best" filter of
// resampy) because those for Go either need cgo or interpolate linearly,
// which aliases.
package audio
