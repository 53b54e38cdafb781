//go:build !unix

package process

// alive says yes: nothing is known here.
func alive(int) bool { return true }
