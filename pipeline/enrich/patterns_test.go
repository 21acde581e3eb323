package enrich

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ua-parser/uap-go/uaparser"
)

func TestNeed(t *testing.T) {
	for _, c := range []struct {
		name, expr string
		want       need
	}{
		{"a word", "Firefox", need{{"FIREFOX"}}},
		{"several", `(Fire)/(\d+)\.Mobile`, need{{"FIRE"}, {"/"}, {".MOBILE"}}},
		{"without case", "(?i)kiss", need{{"KISS"}}},
		{"one of them", "(?:Opera|Vivaldi)/", need{{"OPERA", "VIVALDI"}, {"/"}}},
		{"the longest of one of them", "(?:Opera/.Mini|Vivaldi)", need{{"OPERA/", "VIVALDI"}}},
		{"at least one time", "(?:Linux )+", need{{"LINUX "}}},
		{"any number of times", "(?:Linux )*", nil},
		{"one of them is anything", "Opera|.*", nil},
		{"anything", ".*", nil},
		{"no pattern", "(", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, needOf(c.expr)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// FuzzPatterns compares with the parser that has all patterns.
func FuzzPatterns(f *testing.F) {
	for _, text := range []string{
		"aws-cli/2.17.60 md/awscrt#0.21.2 ua/2.0 os/macos#23.6.0 md/arch#x86_64 lang/python#3.12.6",
		"Boto3/1.35.50 md/Botocore#1.35.50 ua/2.0 os/linux#6.8.0-1016-aws md/arch#x86_64 Botocore/1.35.50",
		"aws-sdk-go/1.55.5 (go1.22.5; darwin; arm64)",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Windows NT 6.1; WOW64; rv:24.0) Gecko/20100101 Firefox/24.0",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
		"curl/8.5.0", "python-requests/2.32.3", "Go-http-client/1.1", "signin.amazonaws.com", " ", "\xff\xfe", "MOZILLA ſafari Kindle",
		"[S3Console/0.4, aws-internal/3 aws-sdk-java/1.11.1030 Linux/5.4.181 OpenJDK_64-Bit_Server_VM/25.322-b06 java/1.8.0_322]",
		strings.Repeat("a", 1024),
	} {
		f.Add(text)
	}
	whole, err := uaparser.New(uaparser.WithCacheSize(1))
	if err != nil {
		f.Fatal(err)
	}
	some, err := newPatterns()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if diff := cmp.Diff(whole.Parse(text), some.parse(text)); diff != "" {
			t.Errorf("%q: -want +got:\n%s", text, diff)
		}
	})
}

// BenchmarkPatterns is what two user agents cost that were not seen before.
func BenchmarkPatterns(b *testing.B) {
	const text = "aws-cli/2.17.60 md/awscrt#0.21.2 ua/2.0 os/linux#6.8.0-1016-aws md/arch#x86_64 lang/python#3.12.6 md/command#s3api.copy-object"
	b.Run("some", func(b *testing.B) {
		some, err := newPatterns()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			some.parse("other")
			some.parse(text)
		}
	})
	b.Run("all", func(b *testing.B) {
		whole, err := uaparser.New(uaparser.WithCacheSize(1))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			whole.Parse("other") // so that the next one is not remembered
			whole.Parse(text)
		}
	})
}
