package standin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports that Linux gives neither to connections nor to whoever asks for any: between a test that looks for an address and the
// daemon that listens there, nobody else is given one of these.
const (
	firstPort = 20_000
	ports     = 12_000
)

// handedOut are the addresses that this process was told.
var handedOut sync.Map //nolint:gochecknoglobals // two tests of one process must not be told the same

var errTold = errors.New("it was told before")

// QuietAddress is an address of this machine that nobody listens on, for a daemon that will. It tells none twice.
func QuietAddress(ctx context.Context) (address string, err error) {
	for range 100 {
		address = fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(ports)) //nolint:gosec // a port is no secret
		if _, told := handedOut.LoadOrStore(address, true); told {
			err = errTold
			continue
		}
		var l net.Listener
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", fmt.Errorf("finding an address that nobody listens on, at last %s: %w", address, err)
}
