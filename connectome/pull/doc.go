// Package pull fetches public group connectomes from their own repositories:
// a catalogue of files with source, licence, citation, size and SHA-256, and
// a download that resumes, verifies, and keeps what it fetched in the user's
// cache directory.
package pull
