// Package download fetches a file over HTTP and leaves either the verified
// whole at its destination or nothing: what has arrived waits in a partial
// file beside it, from which the next attempt goes on, and takes the
// destination's name only when its size and SHA-256 are right.
package download
