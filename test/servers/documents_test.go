//go:build servers

package servers_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/sinks/cluster"
	"github.com/trailship/trailship/sinks/opensearch"
)

// documentsIndex is beside the indices of the other tests.
const documentsIndex = "logs-aws.cloudtrail-documents"

// testDocuments sends documents as the encoder makes them: the cluster must take each one as it is, without a second try.
func (r *rig) testDocuments(t *testing.T) {
	t.Helper()
	index := r.install(t, cluster.Documents, documentsIndex)
	leaf := 0
	if r.cluster.Name != "elasticsearch" {
		leaf = opensearch.LeafLimit
	}
	t.Run("hostile records are taken", func(t *testing.T) {
		encoder := ecs.NewEncoder(ecs.Config{LeafLimit: leaf, KeepOriginal: true})
		r.sendHostile(t, index, encoder)
	})
	encoder := ecs.NewEncoder(ecs.Config{LeafLimit: leaf})
	r.drop(t, index)
	r.install(t, cluster.Documents, index)
	t.Run("sample records are taken and counted", func(t *testing.T) {
		batch, counts := batch{rig: r, index: index}, map[string]map[string]int{}
		eachRecord(t, func(rec *cloudtrail.Record) {
			doc := encoder.Append(nil, rec)
			batch.add(t, string(rec.Field(cloudtrail.EventName).Bytes()), doc)
			count(t, counts, doc)
		})
		batch.send(t)
		t.Logf("%d documents", batch.taken)
		r.checkCounts(t, index, counts)
	})
	r.drop(t, index)
}

// sendHostile sends every hostile record, in both shapes that it may have.
func (r *rig) sendHostile(t *testing.T, index string, format pipeline.Format) {
	t.Helper()
	batch, records := batch{rig: r, index: index}, hostileRecords()
	for _, name := range slices.Sorted(maps.Keys(records)) {
		var rec cloudtrail.Record
		if err := rec.Parse([]byte(records[name])); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		batch.add(t, name, format.Append(nil, &rec))
		batch.add(t, name+", degraded", format.AppendDegraded(nil, &rec, "why"))
	}
	batch.send(t)
	t.Logf("%d documents", batch.taken)
}

// install makes an index below the template that makeTemplate makes for it.
func (r *rig) install(t *testing.T, makeTemplate func(pipeline.IndexPattern) cluster.Template, name string) string {
	t.Helper()
	pattern, err := pipeline.ParseIndexPattern(name)
	if err != nil {
		t.Fatal(err)
	}
	indices := cluster.NewIndices(r.transport(t), zaptest.NewLogger(t), makeTemplate(pattern))
	if err := indices.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := indices.CreateIndex(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return name
}

func (r *rig) drop(t *testing.T, index string) {
	t.Helper()
	if err := r.cluster.Do(t.Context(), http.MethodDelete, "/"+index, nil, nil); err != nil {
		t.Error(err)
	}
}

// transport is what the daemon would use.
func (r *rig) transport(t *testing.T) cluster.Transport {
	t.Helper()
	return transportTo(t, r.cluster)
}

// bulk sends documents in one request and returns what was said of each: "" when it was taken.
func (r *rig) bulk(t *testing.T, index string, docs [][]byte) []string {
	t.Helper()
	var body strings.Builder
	for _, doc := range docs {
		fmt.Fprintf(&body, "{\"create\":{\"_index\":%q}}\n%s\n", index, doc)
	}
	var answer struct {
		Items []map[string]struct {
			Status int
			Error  json.RawMessage
		}
	}
	if err := r.cluster.Do(t.Context(), http.MethodPost, "/_bulk", body.String(), &answer); err != nil {
		t.Fatal(err)
	}
	said := make([]string, len(docs))
	for i, item := range answer.Items {
		if result := item["create"]; result.Status != http.StatusCreated {
			said[i] = fmt.Sprintf("%d %.600s of %.300s", result.Status, result.Error, docs[i])
		}
	}
	return said
}

// batch gathers named documents into requests of some megabytes.
type batch struct {
	rig   *rig
	index string
	names []string
	docs  [][]byte
	size  int
	taken int
}

func (b *batch) add(t *testing.T, name string, doc []byte) {
	t.Helper()
	b.names, b.docs, b.size = append(b.names, name), append(b.docs, doc), b.size+len(doc)
	if b.size > 8<<20 {
		b.send(t)
	}
}

// send sends what was gathered and fails for each document that is refused. Nothing may have been gathered: the document
// before the end may have filled a request, and a cluster refuses an empty one.
func (b *batch) send(t *testing.T) {
	t.Helper()
	if len(b.docs) == 0 {
		return
	}
	for i, why := range b.rig.bulk(t, b.index, b.docs) {
		if why != "" {
			t.Errorf("%s: %s", b.names[i], why)
			continue
		}
		b.taken++
	}
	b.names, b.docs, b.size = nil, nil, 0
}

// eachRecord yields the records of all sample files and golden pairs.
func eachRecord(t testing.TB, yield func(*cloudtrail.Record)) {
	t.Helper()
	samples, err := filepath.Glob("../samples/*/*.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	goldens, err := filepath.Glob("../../pipeline/ecs/testdata/golden/*/*.record.json")
	if err != nil || len(goldens) == 0 || len(samples) == 0 {
		t.Fatalf("%d samples, %d golden records, %v", len(samples), len(goldens), err)
	}
	reader := cloudtrail.NewReader()
	for _, name := range append(samples, goldens...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		reader.Reset(bytes.NewReader(text), &cloudtrail.Object{Bucket: "b", Key: filepath.Base(name), Read: time.Now()})
		for {
			rec, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			yield(rec)
		}
	}
}

// hostileKeys are the top-level keys that stand together in one hostile record: all of them would make it too long.
var hostileKeys = []string{
	"requestParameters responseElements additionalEventData serviceEventDetails insightDetails eventContext resources",
	"newThing userIdentity tlsDetails addendum timeWindow Records logFiles",
	"errorCode eventName sourceIPAddress readOnly managementEvent edgeDeviceDetails status",
}

// hostileRecords are records that search clusters have refused, or might.
func hostileRecords() map[string]string {
	long := strings.Repeat("x", 40_000)
	wide := strings.Repeat("é", 32_000)
	values := map[string]string{
		"a leaf of 40,000 bytes":             `{"k":"` + long + `"}`,
		"a leaf just below the limit":        `{"k":"` + long[:32_740] + `"}`,
		"a leaf of 8,191 wide characters":    `{"k":"` + strings.Repeat("€", 8191) + `"}`,
		"a leaf of 32,000 wide characters":   `{"k":"` + wide + `"}`,
		"a key of 20,000 bytes":              `{"` + long[:20_000] + `":"v"}`,
		"a key of 32,000 wide characters":    `{"` + wide + `":"v"}`,
		"a key of 8,000 bytes, a long value": `{"` + long[:7_900] + `":"` + strings.Repeat("€", 8191) + `"}`,
		"NUL in a key":                       `{"a\u0000b":1,"\u0000":2,"a\ufffdb":3}`,
		"NUL in a value":                     `{"a":"x\u0000y"}`,
		"depth 19":                           deep(19),
		"depth 20":                           deep(20),
		"depth 21":                           deep(21),
		"depth 200":                          deep(200),
		"deep arrays":                        `{"a":` + strings.Repeat("[", 100) + "1" + strings.Repeat("]", 100) + `}`,
		"arrays of objects":                  `{"a":[{"b":1},{"b":"x"},[{"b":[2]}],3,"y"]}`,
		"dotted keys":                        `{"a.b":1,"a":{"b":2},"a.b.c":3,"a..b":4,".":5,".a":6,"a.":7}`,
		"blank keys":                         `{"":1," ":2,"\t":3,"a":{"":{"":4}}}`,
		"kinds that change":                  `{"a":[1,"x",true,{"b":1.5},null]}`,
		"lone surrogates":                    `{"\ud800":"\udc00x","a":"\ud83d"}`,
		"invalid UTF-8":                      "{\"a\xff\":\"b\xfe\xfd\"}",
		"a number of 400 digits":             `{"n":` + strings.Repeat("7", 400) + `}`,
		"a number of 1,500 digits":           `{"n":` + strings.Repeat("7", 1500) + `,"a":[` + strings.Repeat("7", 1500) + `]}`,
		"numbers beyond all bounds":          `{"n":[1e400,-1e400,1e-400,1E999999999,-0,0.1e1]}`,
		"control characters":                 `{"a\u0001":"\u0002\u001f\u007f\u0085\u2028"}`,
		"dates and addresses":                `{"a":"2026-01-02","b":"1.2.3.4","c":"true"}`,
		"3,000 members":                      members(3000),
		"a string of 1 MiB":                  `{"k":"` + strings.Repeat("m", 1<<20) + `"}`,
		"names of Elasticsearch's own":       `{"_id":1,"_source":{"a":1},"_index":"x","_type":"y","@timestamp":"z"}`,
		"reserved words":                     `{"type":"nested","properties":{"type":"x"},"__proto__":1}`,
		"text":                               `"just text"`,
		"a list of text":                     `["just","text",{"a":1}]`,
		"a number":                           `7`,
	}
	records := map[string]string{}
	for name, v := range values {
		for i, keys := range hostileKeys {
			var text strings.Builder
			text.WriteString(`{"eventTime":"2026-01-02T03:04:05Z"`)
			for key := range strings.FieldsSeq(keys) {
				text.WriteString(`,"` + key + `":` + v)
			}
			records[fmt.Sprintf("%s, %d", name, i)] = text.String() + "}"
		}
		records[name+" in a resource"] = `{"resources":[{"ARN":` + v + `,"type":` + v + `,"x":` + v + `},` + v + `]}`
		records[name+" in one resource"] = `{"resources":{"ARN":` + v + `,"type":` + v + `,"arn":` + v + `}}`
		records[name+" in an identity"] = `{"userIdentity":{"type":` + v + `,"userName":` + v + `,"arn":` + v + `,"onBehalfOf":` + v +
			`,"sessionContext":{"sessionIssuer":` + v + `,"attributes":{"mfaAuthenticated":` + v + `,"creationDate":` + v + `},"webIdFederationData":{"attributes":` + v + `}}}}`
		records[name+" as a whole"] = `{"eventVersion":"1.08",` + strings.TrimPrefix(objectOf(v), "{")
	}
	maps.Copy(records, map[string]string{
		"times far off":      `{"eventTime":"9999-12-31T23:59:59Z","userIdentity":{"sessionContext":{"attributes":{"creationDate":"0001-01-01T00:00:00Z"}}}}`,
		"every known key":    everyKey(`"x"`),
		"every key a number": everyKey(`1e400`),
		"every key a list":   everyKey(`["a",{"b":1}]`),
		"every key void":     everyKey(`null`),
	})
	return records
}

// objectOf is v, or an object with nothing in it for what is no object.
func objectOf(v string) string {
	if strings.HasPrefix(v, "{") {
		return v
	}
	return `{"value":` + v + `}`
}

func deep(levels int) string {
	return strings.Repeat(`{"k":`, levels) + `"v"` + strings.Repeat("}", levels)
}

func members(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"k%d":{"x":%d}`, i, i)
	}
	return "{" + strings.Join(list, ",") + "}"
}

func everyKey(v string) string {
	keys := strings.Fields(`eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode
		errorMessage requestParameters responseElements additionalEventData requestID eventID eventId eventType apiVersion managementEvent
		readOnly resources recipientAccountId recipientAccountID serviceEventDetails sharedEventID sharedEventId vpcEndpointId
		vpcEndpointAccountId eventCategory addendum sessionCredentialFromConsole edgeDeviceDetails tlsDetails insightDetails eventContext
		sourceIdentity annotation timeWindow summary accountId Records status digestEndTime digestStartTime awsAccountId digestS3Object
		publicKeyFingerprint digestPublicKeyFingerprint previousDigestHashValue`)
	for i, key := range keys {
		keys[i] = `"` + key + `":` + v
	}
	return "{" + strings.Join(slices.Compact(keys), ",") + "}"
}
