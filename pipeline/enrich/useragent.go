package enrich

import (
	"strings"

	"github.com/ua-parser/uap-go/uaparser"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

const (
	agents     = 16_384
	agentBytes = 1024 // CloudTrail's own limit of userAgent; what follows is not looked at
)

// agentParser fills user_agent. Source: MAPPING section 13; Elastic's user_agent processor for what each field holds.
type agentParser struct {
	patterns *patterns
	memo     *memo
	plain    *memo // of texts whose UUIDs were taken out
}

func newAgentParser() (*agentParser, error) {
	patterns, err := newPatterns()
	if err != nil {
		return nil, err
	}
	return &agentParser{patterns: patterns, memo: newMemo(agents), plain: newMemo(agents)}, nil
}

func (a *agentParser) enrich(r *cloudtrail.Record, f *ecs.Fragments) {
	text := r.Field(cloudtrail.UserAgent).Text()
	if len(text) == 0 {
		return
	}
	f.UserAgent = a.memo.fragment(text[:min(len(text), agentBytes)], a.look)
}

// look is what a text becomes that was not seen before. Going through the patterns takes about a millisecond, so a tool that
// names itself by another UUID each time is known by the rest of its text.
func (a *agentParser) look(text string) []byte {
	return a.plain.fragment([]byte(withoutUUIDs(text)), a.render)
}

// withoutUUIDs makes all UUIDs the same one, which no pattern reads anything from.
func withoutUUIDs(text string) string {
	const nil36 = "00000000-0000-0000-0000-000000000000"
	var b strings.Builder
	for {
		at := strings.IndexByte(text, '-') - len("00000000")
		if at < -len("00000000") {
			break
		}
		if at >= 0 && isUUID(text[at:]) {
			b.WriteString(text[:at] + nil36)
			text = text[at+len(nil36):]
			continue
		}
		end := at + len("00000000-")
		b.WriteString(text[:end])
		text = text[end:]
	}
	return b.String() + text
}

// isUUID reports whether text begins with a UUID.
func isUUID(text string) bool {
	if len(text) < 36 {
		return false
	}
	for i, c := range []byte(text[:36]) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		if hyphen != (c == '-') || !hyphen && !hex {
			return false
		}
	}
	return true
}

// other is uap-core's name of what it does not know.
const other = "Other"

// render makes the members of user_agent but original.
func (a *agentParser) render(text string) []byte {
	client := a.patterns.parse(text)
	name, version := agentName(text, client.UserAgent)
	dst := append([]byte(`"name":`), ecs.AppendString(nil, name)...)
	dst = append(dst, ',')
	dst = appendMember(dst, "version", version)
	dst = append(dst, `"device":{"name":`...)
	dst = append(ecs.AppendString(dst, client.Device.Family), `},`...)
	system, release := systemName(text, client.Os)
	if system == "" {
		return dst
	}
	dst = append(dst, `"os":{`...)
	dst = appendMember(dst, "name", system)
	dst = appendMember(dst, "version", release)
	if release != "" {
		dst = appendMember(dst, "full", system+" "+release)
	}
	dst[len(dst)-1] = '}'
	return append(dst, ',')
}

// agentName is the name and the version as Elastic's older set of patterns has them: it does not know the second Go SDK,
// and it keeps a version's fourth part, which this parser drops.
func agentName(text string, agent *uaparser.UserAgent) (name, version string) {
	if strings.HasPrefix(agent.Family, "aws-sdk-go-v") {
		return other, ""
	}
	version = agent.ToVersionString()
	if _, rest, ok := strings.Cut(text, "/"+version+"."); ok && agent.Patch != "" {
		if digits := len(rest) - len(strings.TrimLeft(rest, "0123456789")); digits > 0 {
			version += "." + rest[:digits]
		}
	}
	return agent.Family, version
}

// systemName is the operating system, "" when it is not known. Elastic's older set does not take darwin for a Mac.
func systemName(text string, system *uaparser.Os) (name, version string) {
	if system.Family == other || system.Family == "Mac OS X" && !strings.Contains(text, "Mac") {
		return "", ""
	}
	version = system.ToVersionString()
	if system.PatchMinor != "" && !strings.HasSuffix(version, system.PatchMinor) {
		version += "." + system.PatchMinor
	}
	return system.Family, version
}

// appendMember appends a member with text, nothing when it is empty.
func appendMember(dst []byte, key, text string) []byte {
	if text == "" {
		return dst
	}
	dst = append(append(dst, '"'), key...)
	dst = append(dst, '"', ':')
	return append(ecs.AppendString(dst, text), ',')
}
