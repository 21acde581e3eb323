package ecs

import (
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// params are the members of the request and the response that some field asks for.
type params struct {
	userName, newUserName, groupName, computerName cloudtrail.Value // of the request
	userID, groupID, consoleLogin                  cloudtrail.Value // of the response
}

// read takes in a record, all that is needed before the first byte is written: what is wrong with it, and what more than
// one field asks for.
func (e *Encoder) read(r *cloudtrail.Record) {
	e.reset(r)
	e.readTime()
	e.readCall()
	e.readSource()
	if v := r.Field(cloudtrail.UserIdentity); v.Kind() == cloudtrail.KindObject {
		e.who.read(v)
	} else if v.Exists() {
		e.others.add(cloudtrail.UserIdentity)
	}
	e.readCreationDate()
	e.free[requestForm].value = r.Field(cloudtrail.RequestParameters)
	e.free[responseForm].value = r.Field(cloudtrail.ResponseElements)
	e.free[additionalForm].value = r.Field(cloudtrail.AdditionalEventData)
	e.free[serviceForm].value = r.Field(cloudtrail.ServiceEventDetails)
	e.readRequest()
	e.readResponse()
	e.readResources()
	e.readTLS()
	e.settleUser()
	if r.Field(cloudtrail.EventName).Exists() {
		e.readEntities()
	}
	e.readOthers()
}

const amazon = ".amazonaws.com"

func (e *Encoder) reset(r *cloudtrail.Record) {
	e.rec = r
	o := r.Object
	if o == nil {
		o = e.nowhere
	}
	if !e.sameObject(o) {
		e.setObject(o)
	}
	e.errors = e.errors[:0]
	e.others, e.digest = 0, false
	e.who, e.params, e.actor = identity{}, params{}, item{}
	e.text.skip = cloudtrail.Value{}
	e.resources = e.resources[:0]
	e.entities, e.targets, e.users, e.hosts = e.entities[:0], e.targets[:0], e.users[:0], e.hosts[:0]
}

// fail notes something that a field would refuse.
func (e *Encoder) fail(what string) { e.errors = append(e.errors, what) }

// readTime finds @timestamp: the event's time, the end of an aggregated event's window or of a digest's hour, or else the
// time the record was read.
func (e *Encoder) readTime() {
	r := e.rec
	v := r.Field(cloudtrail.EventTime)
	if !v.Exists() {
		v = r.Field(cloudtrail.TimeWindow).Get("windowEnd")
	}
	if r.HasUnknown() && !r.Field(cloudtrail.EventName).Exists() {
		e.readDigest()
		if end := r.Root().Get("digestEndTime"); !v.Exists() {
			v = end
		}
	}
	e.time = momentOf(v)
	if e.time.exists() {
		return
	}
	if r.Field(cloudtrail.EventTime).Exists() {
		e.fail("eventTime is not a time")
	}
	e.time = moment{time: e.object.Read, known: !e.object.Read.IsZero()}
}

func (e *Encoder) readCreationDate() {
	v := e.who.creationDate
	if !v.Exists() {
		return
	}
	if e.who.created = momentOf(v); !e.who.created.exists() {
		e.fail("userIdentity.sessionContext.attributes.creationDate is not a time")
	}
}

func (e *Encoder) readSource() {
	e.source = itemOf(e.rec.Field(cloudtrail.SourceIPAddress))
	_, e.sourceIsIP = cloudtrail.ParseAddr(e.source.text)
}

// requestKeys are the keys that readRequest asks for.
func requestKeys() keySet {
	keys := instanceKeys()
	keys.add("userName", "newUserName", "groupName", "computerName")
	return keys
}

func (e *Encoder) readRequest() {
	v := e.free[requestForm].value
	if v.Kind() != cloudtrail.KindObject {
		return
	}
	p := &e.params
	for m := v.First(); m.Exists(); m = m.Next() {
		key := m.Key()
		if !e.call.request.may(key) {
			continue
		}
		switch string(key) {
		case "userName":
			p.userName = m
		case "newUserName":
			p.newUserName = m
		case "groupName":
			p.groupName = m
		case "computerName":
			p.computerName = m
			e.hosts = append(e.hosts, itemOf(m))
		default:
			e.readInstances(m, key)
		}
		if e.call.rules != nil {
			e.relate(e.call.rules.request, m, key)
		}
	}
}

// responseKeys are the keys that readResponse asks for.
func responseKeys() keySet {
	keys := instanceKeys()
	keys.add("user", "group", "ConsoleLogin")
	return keys
}

func (e *Encoder) readResponse() {
	v := e.free[responseForm].value
	if v.Kind() != cloudtrail.KindObject {
		return
	}
	p := &e.params
	for m := v.First(); m.Exists(); m = m.Next() {
		key := m.Key()
		if !e.call.response.may(key) {
			continue
		}
		switch string(key) {
		case "user":
			p.userID = m.Get("userId")
		case "group":
			p.groupID = m.Get("groupId")
		case "ConsoleLogin":
			p.consoleLogin = m
		default:
			e.readInstances(m, key)
		}
		if e.call.rules != nil {
			e.relate(e.call.rules.response, m, key)
		}
	}
}

// relate adds to the entities what the paths that begin with this key lead to.
func (e *Encoder) relate(paths []string, m cloudtrail.Value, key []byte) {
	for _, path := range paths {
		if len(path) < len(key) || path[0] != key[0] || path[:len(key)] != string(key) {
			continue
		}
		if rest := path[len(key):]; rest == "" || rest[0] == '.' || rest[0] == '[' {
			e.entities = collect(e.entities, m, rest)
		}
	}
}

// instanceKeys are the keys that readInstances asks for.
func instanceKeys() (keys keySet) {
	keys.add("instanceId", "target", "resourceId", "instanceIds", "instancesSet")
	return keys
}

// readInstances adds the EC2 instances that a member of the request or response names to the hosts.
func (e *Encoder) readInstances(m cloudtrail.Value, key []byte) {
	switch string(key) {
	case "instanceId", "target", "resourceId":
		e.addInstance(itemOf(m))
	case "instanceIds":
		if m.Kind() != cloudtrail.KindArray {
			return
		}
		for id := m.First(); id.Exists(); id = id.Next() {
			e.addInstance(itemOf(id))
		}
	case "instancesSet":
		items := m.Get("items")
		if items.Kind() != cloudtrail.KindArray {
			return
		}
		for it := items.First(); it.Exists(); it = it.Next() {
			e.addInstance(itemOf(it.Get("instanceId")))
		}
	}
}

func (e *Encoder) addInstance(it item) {
	if len(it.text) >= 10 && it.text[0] == 'i' && it.text[1] == '-' {
		e.hosts = append(e.hosts, it)
	}
}

// settleUser decides who the user is. A UserAuthentication event has the name elsewhere, from where it moves.
func (e *Encoder) settleUser() {
	var fallback cloudtrail.Value
	if e.call.special == userAuthentication {
		fallback = e.free[additionalForm].value.Get("UserName")
	}
	e.who.settle(fallback)
	if fallback.Exists() && e.who.name == fallback {
		e.text.skip = fallback
	}
	e.account = e.who.accountID
	if !e.account.Exists() {
		e.account = e.rec.Field(cloudtrail.RecipientAccountID)
	}
	if !e.account.Exists() {
		e.account = e.rec.Field(cloudtrail.AccountID)
	}
	if !e.account.Exists() && e.digest {
		e.account = e.rec.Root().Get("awsAccountId")
	}
}

// homeless are the fields that no field of ECS or of Elastic's stands for. Few records have one.
var homeless = [...]cloudtrail.Field{
	cloudtrail.EdgeDeviceDetails, cloudtrail.SourceIdentity, cloudtrail.Annotation, cloudtrail.TimeWindow,
	cloudtrail.Summary, cloudtrail.AccountID, cloudtrail.Records,
}

// objects are the fields whose own field takes nothing but objects.
var objects = [...]cloudtrail.Field{
	cloudtrail.Addendum, cloudtrail.TLSDetails, cloudtrail.InsightDetails, cloudtrail.EventContext,
}

// readOthers finds the homeless fields, and those whose kind is not the one their field takes.
func (e *Encoder) readOthers() {
	r := e.rec
	if r.HasAny(homeless[:]) {
		for _, f := range homeless {
			if r.Field(f).Exists() {
				e.others.add(f)
			}
		}
	}
	for _, f := range objects {
		if v := r.Field(f); v.Exists() && v.Kind() != cloudtrail.KindObject {
			e.others.add(f)
		}
	}
	if v := r.Field(cloudtrail.ReadOnly); v.Exists() && !isBoolean(v) {
		e.others.add(cloudtrail.ReadOnly)
	}
	if r.HasUnknown() {
		e.others.add(cloudtrail.Unknown)
	}
}
