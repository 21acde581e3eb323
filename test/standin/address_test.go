package standin_test

import (
	"net"
	"testing"

	"github.com/trailship/trailship/test/standin"
)

// TestQuietAddress: each address can be listened on, none is told twice, and none is one that the system gives to others.
func TestQuietAddress(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		address, err := standin.QuietAddress(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if port := l.Addr().(*net.TCPAddr).Port; seen[address] || port < 20_000 || port >= 32_000 { //nolint:forcetypeassert // it listens on TCP
			t.Errorf("got %s, want one of the quiet ports, and once", address)
		}
		seen[address] = true
	}
}
