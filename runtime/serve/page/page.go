// Package page holds what a browser sees: a page on which a picture or a sound
// is dropped and answered, and the description of the addresses (OpenAPI). The
// page asks for nothing from anywhere else.
package page

import (
	_ "embed"
	"net/http"
)

//go:embed index.html
var index []byte

//go:embed openapi.json
var openAPI []byte

// policy lets the page use its own script and style, and ask this server.
const policy = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; img-src blob: data:; media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Serve writes the page.
func Serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Write(index)
}

// ServeOpenAPI writes the description of the addresses.
func ServeOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(openAPI)
}
