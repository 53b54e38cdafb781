package over

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/connectomewire/wire/runtime"
)

// magic begins every frame.
const magic = "wov1"

// Kinds of frames.
const (
	kindPiece uint8 = iota + 1 // of a lane's message
	kindTaken                  // acknowledges what came in a lane
	kindWord                   // between coordinator and worker, as JSON
)

// headerSize is the bytes before a frame's payload.
const headerSize = 52

// header says what a frame is.
type header struct {
	kind uint8
	lane runtime.Lane
	from uint16 // worker
	// plan and session are checksums, episode counts from 1.
	plan, session uint64
	episode       uint32
	// number of the message in its lane, of which this is a piece of so many; total
	// is the message's bytes.
	number, piece, pieces, total uint32
	// taken says that all messages of this lane before it have come, the other way;
	// those before room may be sent.
	taken, room uint32
}

func (h *header) put(b []byte) {
	copy(b, magic)
	b[4], b[5] = h.kind, uint8(h.lane)
	binary.LittleEndian.PutUint16(b[6:], h.from)
	binary.LittleEndian.PutUint64(b[8:], h.plan)
	binary.LittleEndian.PutUint64(b[16:], h.session)
	for i, v := range [...]uint32{h.episode, h.number, h.piece, h.pieces, h.total} {
		binary.LittleEndian.PutUint32(b[24+4*i:], v)
	}
	putTaken(b, h.taken, h.room)
}

// putTaken renews what a frame acknowledges.
func putTaken(b []byte, taken, room uint32) {
	binary.LittleEndian.PutUint32(b[44:], taken)
	binary.LittleEndian.PutUint32(b[48:], room)
}

var errFrame = errors.New("no frame")

// parse reads a frame. What it says of sizes fits together; whether anybody expects
// such a message is not looked at.
func parse(b []byte) (h header, payload []byte, err error) {
	if len(b) < headerSize || string(b[:4]) != magic {
		return h, nil, errFrame
	}
	h.kind, h.lane = b[4], runtime.Lane(b[5])
	h.from = binary.LittleEndian.Uint16(b[6:])
	h.plan, h.session = binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
	for i, v := range [...]*uint32{&h.episode, &h.number, &h.piece, &h.pieces, &h.total, &h.taken, &h.room} {
		*v = binary.LittleEndian.Uint32(b[24+4*i:])
	}
	payload = b[headerSize:]
	switch {
	case h.kind < kindPiece || h.kind > kindWord || h.lane >= runtime.Lanes:
		return h, nil, fmt.Errorf("%w: kind %d, lane %d", errFrame, h.kind, h.lane)
	case h.kind != kindPiece:
		return h, payload, nil
	case h.pieces == 0 || h.piece >= h.pieces || h.pieces > max(h.total, 1):
		return h, nil, fmt.Errorf("%w: piece %d of %d", errFrame, h.piece, h.pieces)
	}
	if lo, hi := h.span(); hi-lo != len(payload) {
		return h, nil, fmt.Errorf("%w: piece %d of %d of %d bytes has %d", errFrame, h.piece, h.pieces, h.total, len(payload))
	}
	return h, payload, nil
}

// span is where a piece lies in its message: all pieces but the last have one size.
func (h *header) span() (lo, hi int) {
	size := (uint64(h.total) + uint64(h.pieces) - 1) / uint64(h.pieces)
	from := min(size*uint64(h.piece), uint64(h.total))
	return int(from), int(min(from+size, uint64(h.total)))
}
