package cloudtrail_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// FuzzParseAddr holds the parser against the standard library's, which knows zones too.
func FuzzParseAddr(f *testing.F) {
	for _, seed := range []string{
		"1.2.3.4", "01.2.3.4", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::8", "1::2::3",
		"::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "fe80::1%eth0", "12345::", ":1", "1:", "s3.amazonaws.com", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := netip.ParseAddr(text)
		if strings.Contains(text, "%") {
			return
		}
		got, ok := cloudtrail.ParseAddr([]byte(text))
		if ok != (err == nil) || ok && got != want {
			t.Errorf("%q: got %v %t, want %v %v", text, got, ok, want, err)
		}
	})
}
