package filter_test

import (
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/filter"
)

func matches(t *testing.T, pattern, event string) bool {
	t.Helper()
	p, err := filter.Compile([]byte(pattern))
	if err != nil {
		t.Fatalf("%s: %v", pattern, err)
	}
	var r cloudtrail.Record
	if err := r.Parse([]byte(event)); err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	return p.Match(&r)
}

type example struct {
	name, pattern, event string
	want                 bool
}

func check(t *testing.T, examples []example) {
	t.Helper()
	for _, x := range examples {
		t.Run(x.name, func(t *testing.T) {
			if got := matches(t, x.pattern, x.event); got != x.want {
				t.Errorf("%s on %s: got %t, want %t", x.pattern, x.event, got, x.want)
			}
		})
	}
}

// ec2 is the event of AWS's examples: an instance that changed its state.
const ec2 = `{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"EC2 Instance State-change Notification",
"source":"aws.ec2","account":"111122223333","time":"2017-12-22T18:43:48Z","region":"us-west-1",
"resources":["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],
"detail":{"instance-id":"i-1234567890abcdef0","state":"terminated","c-count":5,"d-count":3,"x-limit":301.8,"source-ip":"10.0.0.33"}}`

// The examples of "Amazon EventBridge event patterns" and of "Comparison operators for use in event patterns", the latter
// in the order of its table.
func TestMatch_awsExamples(t *testing.T) {
	check(t, []example{
		{"a state change", `{"source":["aws.ec2"],"detail-type":["EC2 Instance State-change Notification"],"detail":{"state":["terminated"]}}`, ec2, true},
		{"another state", `{"source":["aws.ec2"],"detail":{"state":["running"]}}`, ec2, false},
		{"one of two states", `{"detail":{"state":["running","terminated"]}}`, ec2, true},
		{"every event", `{"source":[{"prefix":""}]}`, ec2, true},
		{"an element of an array", `{"resources":["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"]}`, ec2, true},
		{"arrays that intersect", `{"resources":["a","c"]}`, `{"resources":["b","c"]}`, true},
		{"arrays that do not", `{"resources":["a","c"]}`, `{"resources":["b","d"]}`, false},

		{"and", `{"Location":["New York"],"Day":["Monday"]}`, `{"Location":"New York","Day":"Monday"}`, true},
		{"and: one is not", `{"Location":["New York"],"Day":["Monday"]}`, `{"Location":"New York","Day":"Tuesday"}`, false},
		{"anything-but", `{"detail":{"state":[{"anything-but":"initializing"}]}}`, ec2, true},
		{"anything-but: it is", `{"detail":{"state":[{"anything-but":"terminated"}]}}`, ec2, false},
		{"anything-but: not there", `{"detail":{"status":[{"anything-but":"initializing"}]}}`, ec2, false},
		{"anything-but a number", `{"detail":{"x-limit":[{"anything-but":123}]}}`, ec2, true},
		{"anything-but that number", `{"detail":{"x-limit":[{"anything-but":301.8}]}}`, ec2, false},
		{"anything-but a list", `{"detail":{"state":[{"anything-but":["stopped","overloaded"]}]}}`, ec2, true},
		{"anything-but a list with it", `{"detail":{"state":[{"anything-but":["stopped","terminated"]}]}}`, ec2, false},
		{"anything-but numbers", `{"detail":{"x-limit":[{"anything-but":[100,200,300]}]}}`, ec2, true},
		{"anything-but numbers with it", `{"detail":{"c-count":[{"anything-but":[4,5]}]}}`, ec2, false},
		{"anything-but begins with", `{"region":[{"anything-but":{"prefix":"us-"}}]}`, ec2, false},
		{"anything-but begins with another", `{"region":[{"anything-but":{"prefix":"eu-"}}]}`, ec2, true},
		{"anything-but begins with several", `{"region":[{"anything-but":{"prefix":["eu-","us-"]}}]}`, ec2, false},
		{"anything-but ends with", `{"FileName":[{"anything-but":{"suffix":".png"}}]}`, `{"FileName":"a.png"}`, false},
		{"anything-but ends with another", `{"FileName":[{"anything-but":{"suffix":[".png",".gif"]}}]}`, `{"FileName":"a.jpg"}`, true},
		{"anything-but ignore case", `{"state":[{"anything-but":{"equals-ignore-case":"initializing"}}]}`, `{"state":"INITIALIZING"}`, false},
		{"anything-but ignore case, list", `{"state":[{"anything-but":{"equals-ignore-case":["initializing","stopped"]}}]}`, `{"state":"Running"}`, true},
		{"anything-but wildcard", `{"FilePath":[{"anything-but":{"wildcard":"*/lib/*"}}]}`, `{"FilePath":"/usr/lib/a"}`, false},
		{"anything-but wildcard, other", `{"FilePath":[{"anything-but":{"wildcard":["*/lib/*","*/bin/*"]}}]}`, `{"FilePath":"/usr/share/a"}`, true},
		{"begins with", `{"region":[{"prefix":"us-"}]}`, ec2, true},
		{"begins with a date", `{"time":[{"prefix":"2017-10-02"}]}`, `{"time":"2017-10-02T18:43:48Z"}`, true},
		{"begins with, ignore case", `{"service":[{"prefix":{"equals-ignore-case":"eventb"}}]}`, `{"service":"EventBridge"}`, true},
		{"empty", `{"LastName":[""]}`, `{"LastName":""}`, true},
		{"empty: it is not", `{"LastName":[""]}`, `{"LastName":"Li"}`, false},
		{"empty: not there", `{"LastName":[""]}`, `{}`, false},
		{"equals", `{"Name":["Alice"]}`, `{"Name":"Alice"}`, true},
		{"equals: case counts", `{"Name":["Alice"]}`, `{"Name":"alice"}`, false},
		{"equals ignore case", `{"Name":[{"equals-ignore-case":"alice"}]}`, `{"Name":"aLICE"}`, true},
		{"ends with", `{"FileName":[{"suffix":".png"}]}`, `{"FileName":"cat.png"}`, true},
		{"ends with: other case", `{"FileName":[{"suffix":".png"}]}`, `{"FileName":"cat.PNG"}`, false},
		{"ends with, ignore case", `{"service":[{"suffix":{"equals-ignore-case":"tBridge"}}]}`, `{"service":"EVENTBRIDGE"}`, true},
		{"exists", `{"ProductName":[{"exists":true}]}`, `{"ProductName":"x"}`, true},
		{"exists: not there", `{"ProductName":[{"exists":true}]}`, `{}`, false},
		{"does not exist", `{"ProductName":[{"exists":false}]}`, `{"x":1}`, true},
		{"does not exist: there", `{"ProductName":[{"exists":false}]}`, `{"ProductName":"x"}`, false},
		{"not", `{"Weather":[{"anything-but":["Raining"]}]}`, `{"Weather":"Sunny"}`, true},
		{"null", `{"UserID":[null]}`, `{"UserID":null}`, true},
		{"null: text", `{"UserID":[null]}`, `{"UserID":"null"}`, false},
		{"null: not there", `{"UserID":[null]}`, `{}`, false},
		{"numeric equals", `{"Price":[{"numeric":["=",100]}]}`, `{"Price":1e2}`, true},
		{"numeric range", `{"Price":[{"numeric":[">",10,"<=",20]}]}`, `{"Price":20}`, true},
		{"numeric range: its open end", `{"Price":[{"numeric":[">",10,"<=",20]}]}`, `{"Price":10}`, false},
		{"or", `{"PaymentType":["Credit","Debit"]}`, `{"PaymentType":"Debit"}`, true},
		{"or of fields", `{"$or":[{"Location":["New York"]},{"Day":["Monday"]}]}`, `{"Location":"Rome","Day":"Monday"}`, true},
		{"or of fields: neither", `{"$or":[{"Location":["New York"]},{"Day":["Monday"]}]}`, `{"Location":"Rome","Day":"Friday"}`, false},
		{"wildcard", `{"FileName":[{"wildcard":"dir/*.png"}]}`, `{"FileName":"dir/cat.png"}`, true},
		{"wildcard: elsewhere", `{"FileName":[{"wildcard":"dir/*.png"}]}`, `{"FileName":"a/dir/cat.png"}`, false},
		{"all together", `{"time":[{"prefix":"2017-12-22"}],"detail":{"state":[{"anything-but":"initializing"}],"c-count":[{"numeric":[">",0,"<=",5]}],
			"d-count":[{"numeric":["<",10]}],"x-limit":[{"anything-but":[100,200,300]}],"source-ip":[{"cidr":"10.0.0.0/24"}]}}`, ec2, true},
	})
}

// What the pages say in words about the operators.
func TestMatch_operators(t *testing.T) {
	check(t, []example{
		{"numbers are compared as text", `{"n":[300]}`, `{"n":300.0}`, false},
		{"numbers with an exponent are", `{"n":[300]}`, `{"n":3.0e2}`, false},
		{"the same number", `{"n":[3.0e2]}`, `{"n":3.0e2}`, true},
		{"a number is no string", `{"n":[300]}`, `{"n":"300"}`, false},
		{"a string is no number", `{"n":["300"]}`, `{"n":300}`, false},
		{"true", `{"b":[true]}`, `{"b":true}`, true},
		{"true is no string", `{"b":[true]}`, `{"b":"true"}`, false},
		{"numeric sees numbers only", `{"n":[{"numeric":["=",5]}]}`, `{"n":"5"}`, false},
		{"numeric at its bound", `{"n":[{"numeric":["<=",5e9]}]}`, `{"n":5000000000}`, true},
		{"numeric beyond its bound", `{"n":[{"numeric":[">",0]}]}`, `{"n":5000000001}`, false},
		{"numeric below", `{"n":[{"numeric":["<",0]}]}`, `{"n":-0.5}`, true},
		{"prefix sees strings only", `{"n":[{"prefix":"1"}]}`, `{"n":12}`, false},
		{"prefix ignoring case of letters of other lengths", `{"s":[{"prefix":{"equals-ignore-case":"ſtr"}}]}`, `{"s":"STRING"}`, true},
		{"suffix longer than the text", `{"s":[{"suffix":{"equals-ignore-case":"abcd"}}]}`, `{"s":"bcd"}`, false},
		{"wildcard alone", `{"s":[{"wildcard":"*"}]}`, `{"s":""}`, true},
		{"wildcard sees strings only", `{"s":[{"wildcard":"*"}]}`, `{"s":1}`, false},
		{"wildcard parts in order", `{"s":[{"wildcard":"a*b*c"}]}`, `{"s":"a-c-b"}`, false},
		{"wildcard ends do not overlap", `{"s":[{"wildcard":"aba*ba"}]}`, `{"s":"aba"}`, false},
		{"wildcard, an asterisk itself", `{"s":[{"wildcard":"a\\*b"}]}`, `{"s":"a*b"}`, true},
		{"wildcard, only the asterisk", `{"s":[{"wildcard":"a\\*b"}]}`, `{"s":"axb"}`, false},
		{"wildcard, a backslash itself", `{"s":[{"wildcard":"a\\\\*"}]}`, `{"s":"a\\b"}`, true},
		{"wildcard, asterisk then any", `{"s":[{"wildcard":"\\**"}]}`, `{"s":"*x"}`, true},
		{"cidr of IPv6", `{"ip":[{"cidr":"2001:db8::/32"}]}`, `{"ip":"2001:db8::1"}`, true},
		{"cidr: outside", `{"ip":[{"cidr":"10.0.0.0/24"}]}`, `{"ip":"10.0.1.1"}`, false},
		{"cidr: a name", `{"ip":[{"cidr":"0.0.0.0/0"}]}`, `{"ip":"kms.amazonaws.com"}`, false},
		{"exists: null is there", `{"f":[{"exists":true}]}`, `{"f":null}`, true},
		{"exists: empty is there", `{"f":[{"exists":false}]}`, `{"f":""}`, false},
		{"exists: an object is no leaf", `{"f":[{"exists":true}]}`, `{"f":{"g":1}}`, false},
		{"exists false: an object is no leaf", `{"f":[{"exists":false}]}`, `{"f":{"g":1}}`, true},
		{"exists: an empty array has no leaf", `{"f":[{"exists":true}]}`, `{"f":[]}`, false},
		{"exists or a value", `{"f":["a",{"exists":false}]}`, `{"g":1}`, true},
		{"not inside of what is not there", `{"o":{"f":[{"exists":false}]}}`, `{"g":1}`, true},
		{"not inside of text", `{"o":{"f":[{"exists":false}]}}`, `{"o":"x"}`, true},
		{"anything-but null", `{"f":[{"anything-but":"a"}]}`, `{"f":null}`, true},
		{"anything-but, one element is", `{"f":[{"anything-but":"a"}]}`, `{"f":["a","b"]}`, true},
		{"anything-but, all are", `{"f":[{"anything-but":"a"}]}`, `{"f":["a","a"]}`, false},
		{"anything-but prefix of a number", `{"f":[{"anything-but":{"prefix":"1"}}]}`, `{"f":12}`, true},
		{"objects in an array, one has both", `{"r":{"a":[1],"b":[2]}}`, `{"r":[{"a":1,"b":3},{"a":1,"b":2}]}`, true},
		{"objects in an array, none has both", `{"r":{"a":[1],"b":[2]}}`, `{"r":[{"a":1,"b":3},{"a":2,"b":2}]}`, false},
		{"absent from all elements", `{"r":{"a":[{"exists":false}]}}`, `{"r":[{"b":1},{"c":1}]}`, true},
		{"absent from one element", `{"r":{"a":[{"exists":false}]}}`, `{"r":[{"b":1},{"a":1}]}`, false},
		{"absent from the element with b", `{"r":{"a":[{"exists":false}],"b":[1]}}`, `{"r":[{"b":1},{"a":1}]}`, true},
		{"arrays in arrays", `{"r":["x"]}`, `{"r":[["y"],["x"]]}`, true},
		{"an empty pattern of a record's array", `{"r":["x"]}`, `{"r":[]}`, false},
		{"or with and beside it", `{"s":["a"],"$or":[{"x":[1]},{"y":[1],"z":[1]}]}`, `{"s":"a","y":1,"z":1}`, true},
		{"or with and beside it, s is not", `{"s":["a"],"$or":[{"x":[1]},{"y":[1]}]}`, `{"s":"b","y":1}`, false},
		{"or in or", `{"$or":[{"x":[1]},{"y":[1],"$or":[{"a":[1]},{"b":[1]}]}]}`, `{"y":1,"b":1}`, true},
		{"or below", `{"d":{"$or":[{"x":[1]},{"y":[1]}]}}`, `{"d":{"y":1}}`, true},
		{"$or as a field", `{"$or":{"x":[1]}}`, `{"$or":{"x":1}}`, true},
		{"an escaped text", `{"s":["é\n"]}`, `{"s":"\u00e9\u000a"}`, true},
		{"an escaped key", `{"k":["x"]}`, `{"\u006b":"x"}`, true},
		{"a key twice", `{"k":["x"]}`, `{"k":"y","k":"x"}`, true},
		{"a dash is a value", `{"k":["-"]}`, `{"k":"-"}`, true},
		{"CloudTrail's fields by their exact key", `{"eventID":["1"]}`, `{"eventId":"1"}`, false},
		{"CloudTrail's other spelling", `{"eventId":["1"]}`, `{"eventId":"1"}`, true},
		{"null in CloudTrail", `{"requestParameters":[null],"eventName":["X"]}`, `{"eventName":"X","requestParameters":null}`, true},
		{"deep in a free-form object", `{"requestParameters":{"a":{"b":{"c":["x"]}}}}`, `{"requestParameters":{"a":[{"b":{"c":"y"}},{"b":[{"c":["z","x"]}]}]}}`, true},
	})
}
