"""
Steps of jsforce's users: the JavaScript, its result, and the expected data of the org afterwards.

`args.tag` is a word that is unique for each step, so that steps do not affect each other. In expected values, `{tag}`
is that word; in SOQL, `{value}` is the result of the step. Further arguments are `args.key` (an external ID of accounts
and contacts), `args.number` (a number field of contacts), `args.firm` (the company of the existing leads),
`args.username` and `args.person`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DONE = {"id": str, "success": True, "errors": []}
SAVED = {"fullName": str, "success": True, "errors": []}


def refused(code: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code}]}


@dataclass(frozen=True)
class Step:
    """One step and its effect: the result of a query afterwards, or the body of a component (None if it must be missing)."""

    name: str
    code: str
    gives: Any
    query: str = ""
    rows: Any = None
    component: str = ""
    body: Any = None


RECORDS = [
    Step(
        "create",
        "return conn.sobject('Contact').create({LastName: args.tag, [args.key]: args.tag})",
        DONE,
        "SELECT LastName, {key} FROM Contact WHERE Id = '{value[id]}'",
        [{"LastName": "{tag}", "{key}": "{tag}"}],
    ),
    Step(
        "create what lacks a required field",
        """
        try { return await conn.sobject('Contact').create({FirstName: args.tag}); }
        catch (error) { return [error.errorCode, error.message, error.data.fields]; }
        """,
        ["REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]],
        "SELECT Id FROM Contact WHERE FirstName = '{tag}'",
        [],
    ),
    Step(
        "retrieve",
        """
        const {id} = await conn.sobject('Contact').create({LastName: args.tag, FirstName: 'Ji'});
        return conn.sobject('Contact').retrieve(id, {fields: ['Name', 'Account.Name']}).catch(() =>
          conn.sobject('Contact').retrieve(id));
        """,
        {"attributes": {"type": "Contact"}, "Name": "Ji {tag}"},
        "SELECT Name FROM Contact WHERE LastName = '{tag}'",
        [{"Name": "Ji {tag}"}],
    ),
    Step(
        "update",
        """
        const {id} = await conn.sobject('Contact').create({LastName: args.tag});
        return conn.sobject('Contact').update({Id: id, FirstName: 'Ji', Department: 'pro'});
        """,
        DONE,
        "SELECT FirstName, Department FROM Contact WHERE LastName = '{tag}'",
        [{"FirstName": "Ji", "Department": "pro"}],
    ),
    Step(
        "delete",
        """
        const {id} = await conn.sobject('Contact').create({LastName: args.tag});
        return conn.sobject('Contact').destroy(id);
        """,
        DONE,
        "SELECT Id FROM Contact WHERE LastName = '{tag}'",
        [],
    ),
    Step(
        "delete twice",
        """
        const {id} = await conn.sobject('Contact').create({LastName: args.tag});
        await conn.sobject('Contact').delete(id);
        return conn.sobject('Contact').delete(id).catch((error) => error.errorCode);
        """,
        "ENTITY_IS_DELETED",
        "SELECT Id FROM Contact WHERE LastName = '{tag}'",
        [],
    ),
    Step(
        "create many, of which one is wrong",
        "return conn.sobject('Contact').create([{LastName: args.tag, FirstName: 'A'}, {FirstName: args.tag}])",
        [DONE, refused("REQUIRED_FIELD_MISSING")],
        "SELECT FirstName FROM Contact WHERE LastName = '{tag}' OR FirstName = '{tag}'",
        [{"FirstName": "A"}],
    ),
    Step(
        "create all or none",
        "return conn.sobject('Contact').create([{LastName: args.tag}, {FirstName: args.tag}], {allOrNone: true})",
        [refused("ALL_OR_NONE_OPERATION_ROLLED_BACK"), refused("REQUIRED_FIELD_MISSING")],
        "SELECT Id FROM Contact WHERE LastName = '{tag}' OR FirstName = '{tag}'",
        [],
    ),
    Step(
        "create more than one request takes",
        """
        const records = Array.from({length: 450}, (_, number) => ({LastName: args.tag, [args.key]: `${args.tag}-${number}`}));
        const found = await conn.sobject('Contact').create(records, {allowRecursive: true});
        return [found.length, found.every((each) => each.success)];
        """,
        [450, True],
        "SELECT count(Id) n FROM Contact WHERE LastName = '{tag}'",
        [{"n": 450}],
    ),
    Step(
        "ask for more than one request takes",
        """
        const records = Array.from({length: 201}, () => ({LastName: args.tag}));
        return conn.requestPost('/composite/sobjects', {
          records: records.map((each) => ({attributes: {type: 'Contact'}, ...each})),
        }).catch((error) => error.errorCode);
        """,
        "EXCEEDED_ID_LIMIT",
        "SELECT Id FROM Contact WHERE LastName = '{tag}'",
        [],
    ),
    Step(
        "retrieve many",
        """
        const made = await conn.sobject('Contact').create([{LastName: args.tag}, {LastName: `${args.tag}2`}]);
        const ids = [made[1].id, '003000000000000AAA', made[0].id];
        return (await conn.sobject('Contact').retrieve(ids)).map((each) => each && each.LastName);
        """,
        ["{tag}2", None, "{tag}"],
        "SELECT count(Id) n FROM Contact WHERE LastName LIKE '{tag}%'",
        [{"n": 2}],
    ),
    Step(
        "update many",
        """
        const made = await conn.sobject('Contact').create([{LastName: args.tag}, {LastName: args.tag}]);
        return conn.sobject('Contact').update(made.map(({id}, number) => ({Id: id, FirstName: `No ${number}`})));
        """,
        [DONE, DONE],
        "SELECT FirstName FROM Contact WHERE LastName = '{tag}' ORDER BY FirstName",
        [{"FirstName": "No 0"}, {"FirstName": "No 1"}],
    ),
    Step(
        "update many, of which one is gone",
        """
        const {id} = await conn.sobject('Contact').create({LastName: args.tag});
        return conn.sobject('Contact').update([{Id: '003000000000000AAA', Title: 'x'}, {Id: id, Title: 'y'}]);
        """,
        [refused("INVALID_CROSS_REFERENCE_KEY"), DONE],
        "SELECT Title FROM Contact WHERE LastName = '{tag}'",
        [{"Title": "y"}],
    ),
    Step(
        "delete many",
        """
        const made = await conn.sobject('Contact').create([{LastName: args.tag}, {LastName: args.tag}]);
        return conn.sobject('Contact').destroy([...made.map(({id}) => id), '003000000000000AAA']);
        """,
        [DONE, DONE, refused("INVALID_CROSS_REFERENCE_KEY")],
        "SELECT Id FROM Contact WHERE LastName = '{tag}'",
        [],
    ),
    Step(
        "upsert by external id",
        """
        const one = await conn.sobject('Contact').upsert({[args.key]: args.tag, LastName: `${args.tag}Before`}, args.key);
        const two = await conn.sobject('Contact').upsert({[args.key]: args.tag, LastName: `${args.tag}After`}, args.key);
        return [one.created, two.created, one.id === two.id, two.success];
        """,
        [True, False, True, True],
        "SELECT LastName FROM Contact WHERE {key} = '{tag}'",
        [{"LastName": "{tag}After"}],
    ),
    Step(
        "upsert many by external id",
        """
        await conn.sobject('Contact').create({[args.key]: args.tag, LastName: `${args.tag}Before`});
        return conn.sobject('Contact').upsert(
          [{[args.key]: args.tag, LastName: `${args.tag}After`}, {[args.key]: `${args.tag}2`, LastName: `${args.tag}New`}, {[args.key]: `${args.tag}3`}],
          args.key);
        """,
        [DONE | {"created": False}, DONE | {"created": True}, refused("REQUIRED_FIELD_MISSING")],
        "SELECT LastName FROM Contact WHERE {key} LIKE '{tag}%' ORDER BY {key}",
        [{"LastName": "{tag}After"}, {"LastName": "{tag}New"}],
    ),
    Step(
        "upsert by what is no external id",
        "return conn.sobject('Contact').upsert({Title: args.tag, LastName: args.tag}, 'Title').catch((e) => e.errorCode)",
        "NOT_FOUND",
        "SELECT Id FROM Contact WHERE LastName = '{tag}'",
        [],
    ),
    Step(
        "take an external id twice",
        """
        await conn.sobject('Contact').create({[args.key]: args.tag, LastName: args.tag});
        return conn.sobject('Contact').create({[args.key]: args.tag, LastName: args.tag}).catch((error) => error.errorCode);
        """,
        "DUPLICATE_VALUE",
        "SELECT count(Id) n FROM Contact WHERE {key} = '{tag}'",
        [{"n": 1}],
    ),
    Step(
        "set a parent by its external id",
        """
        await conn.sobject('Account').create({Name: args.tag, [args.key]: args.tag});
        return conn.sobject('Contact').create({LastName: args.tag, Account: {[args.key]: args.tag}});
        """,
        DONE,
        "SELECT Account.Name FROM Contact WHERE Id = '{value[id]}'",
        [{"Account": {"Name": "{tag}"}}],
    ),
]

QUERIES = [
    Step(
        "query children and parents",
        """
        const {id} = await conn.sobject('Account').create({Name: args.tag});
        await conn.sobject('Contact').create(['B', 'A'].map((name) => ({LastName: args.tag + name, AccountId: id})));
        const found = await conn.query(
          `SELECT Name, Owner.Name, (SELECT LastName, Account.Name FROM Contacts ORDER BY LastName) FROM Account
           WHERE Name = '${args.tag}'`);
        const [row] = found.records;
        return [found.totalSize, row.Owner.Name, row.Contacts.records.map((each) => [each.LastName, each.Account.Name])];
        """,
        [1, "{person}", [["{tag}A", "{tag}"], ["{tag}B", "{tag}"]]],
        "SELECT count(Id) n FROM Contact WHERE Account.Name = '{tag}'",
        [{"n": 2}],
    ),
    Step(
        "query in pages",
        """
        const first = await conn.query(`SELECT Id FROM Lead WHERE Company = '${args.firm}'`,
          {headers: {'Sforce-Query-Options': 'batchSize=200'}});
        const second = await conn.queryMore(first.nextRecordsUrl);
        const third = await conn.queryMore(second.nextRecordsUrl);
        const ids = new Set([first, second, third].flatMap(({records}) => records.map((each) => each.Id)));
        return [first.done, first.records.length, second.done, third.done, third.totalSize === ids.size];
        """,
        [False, 200, False, True, True],
        "SELECT count(Id) n FROM Lead WHERE Company = '{firm}'",
        [{"n": 450}],
    ),
    Step(
        "query all pages at once",
        """
        return (await conn.query(`SELECT Id FROM Lead WHERE Company = '${args.firm}'`,
          {autoFetch: true, maxFetch: 5000, headers: {'Sforce-Query-Options': 'batchSize=200'}})).records.length;
        """,
        450,
        "SELECT count(Id) n FROM Lead WHERE Company = '{firm}'",
        [{"n": 450}],
    ),
    Step(
        "follow a query as a stream of records",
        """
        let count = 0;
        await new Promise((resolve, reject) => conn.query(`SELECT Id FROM Lead WHERE Company = '${args.firm}'`)
          .on('record', () => { count += 1; }).on('end', resolve).on('error', reject)
          .run({autoFetch: true, maxFetch: 5000, headers: {'Sforce-Query-Options': 'batchSize=200'}}));
        return count;
        """,
        450,
        "SELECT count(Id) n FROM Lead WHERE Company = '{firm}'",
        [{"n": 450}],
    ),
    Step(
        "find with conditions, order and limit",
        """
        await conn.sobject('Contact').create(['A', "B'B", 'C', 'D'].map((name, number) => (
          {LastName: args.tag + name, Title: args.tag, [args.number]: number})));
        return (await conn.sobject('Contact')
          .find({Title: args.tag, LastName: {$in: ['A', "B'B", 'C'].map((name) => args.tag + name)}, [args.number]: {$gte: 1},
                 CreatedDate: {$gte: jsforce.Date.YESTERDAY}}, ['LastName', 'Owner.Name'])
          .sort({LastName: -1}).limit(2).skip(0).execute()).map((each) => [each.LastName, each.Owner.Name]);
        """,
        [["{tag}C", "{person}"], ["{tag}B'B", "{person}"]],
        "SELECT count(Id) n FROM Contact WHERE Title = '{tag}'",
        [{"n": 4}],
    ),
    Step(
        "find with children",
        """
        const {id} = await conn.sobject('Account').create({Name: args.tag});
        await conn.sobject('Contact').create(['A', 'B', 'C'].map((name) => ({LastName: args.tag + name, AccountId: id})));
        const [row] = await conn.sobject('Account').find({Name: args.tag}, 'Id, Name')
          .include('Contacts').select('LastName').where({LastName: {$ne: `${args.tag}A`}}).orderby('LastName', 'DESC').limit(1).end()
          .execute();
        return row.Contacts.records.map((each) => each.LastName);
        """,
        ["{tag}C"],
        "SELECT count(Id) n FROM Contact WHERE Account.Name = '{tag}'",
        [{"n": 3}],
    ),
    Step(
        "find one, and count",
        """
        await conn.sobject('Contact').create([{LastName: args.tag}, {LastName: args.tag}]);
        const one = await conn.sobject('Contact').findOne({LastName: args.tag}, 'Id, LastName');
        return [one.LastName, await conn.sobject('Contact').count({LastName: args.tag})];
        """,
        ["{tag}", 2],
        "SELECT count(Id) n FROM Contact WHERE LastName = '{tag}'",
        [{"n": 2}],
    ),
    Step(
        "update what a query finds",
        """
        await conn.sobject('Contact').create([{LastName: args.tag}, {LastName: args.tag}]);
        return conn.sobject('Contact').find({LastName: args.tag}).update({Title: 'Dr ${LastName}'});
        """,
        [DONE, DONE],
        "SELECT Title FROM Contact WHERE LastName = '{tag}'",
        [{"Title": "Dr {tag}"}, {"Title": "Dr {tag}"}],
    ),
    Step(
        "delete what a query finds",
        """
        await conn.sobject('Contact').create([{LastName: args.tag}, {LastName: args.tag}, {LastName: args.tag}]);
        return conn.sobject('Contact').find({LastName: args.tag}).limit(2).destroy();
        """,
        [DONE, DONE],
        "SELECT count(Id) n FROM Contact WHERE LastName = '{tag}'",
        [{"n": 1}],
    ),
    Step(
        "query a field that is not there",
        "return conn.query('SELECT Nope__c FROM Contact').catch((e) => [e.errorCode, e.message.includes(\"'Nope__c'\")])",
        ["INVALID_FIELD", True],
    ),
    Step(
        "query Tooling",
        """
        const found = await conn.tooling.query("SELECT Id, DeveloperName FROM FlowDefinition WHERE DeveloperName = 'None'");
        return [found.totalSize, found.done, found.records];
        """,
        [0, True, []],
    ),
]

ABOUT = [
    Step(
        "identity",
        "const me = await conn.identity(); return [me.username, me.organization_id === me.id.split('/')[4], conn.userInfo.id === me.user_id]",
        ["{username}", True, True],
    ),
    Step(
        "describe",
        """
        const about = await conn.describe('Contact');
        const field = about.fields.find((each) => each.name === args.key);
        const child = (await conn.describe('Account')).childRelationships.find((each) => each.childSObject === 'Contact');
        return [about.keyPrefix, field.externalId, field.type, field.length, child.relationshipName];
        """,
        ["003", True, "string", 80, "Contacts"],
    ),
    Step(
        "describe everything",
        """
        const names = (await conn.describeGlobal()).sobjects.map((each) => each.name);
        return ['Account', 'Contact', 'Event', 'Lead', 'User'].every((name) => names.includes(name));
        """,
        True,
    ),
    Step(
        "describe what is not there", "return conn.describe('Nope__c').catch((error) => error.errorCode)", "NOT_FOUND"
    ),
    Step(
        "limits",
        "await conn.query('SELECT Id FROM User'); const found = await conn.limits(); "
        "return [found.DailyApiRequests.Max > found.DailyApiRequests.Remaining, conn.limitInfo.apiUsage.used > 0]",
        [True, True],
    ),
    Step(
        "versions", "return (await conn.request('/services/data')).map(({version}) => version).includes('62.0')", True
    ),
]

COMPOSITES = [
    Step(
        "composite",
        """
        const base = `/services/data/v${conn.version}`;
        const {compositeResponse} = await conn.requestPost('/composite', {allOrNone: true, compositeRequest: [
          {method: 'POST', url: `${base}/sobjects/Account`, referenceId: 'firm', body: {Name: args.tag}},
          {method: 'POST', url: `${base}/sobjects/Contact`, referenceId: 'person',
           body: {LastName: args.tag, AccountId: '@{firm.id}'}},
          {method: 'GET', url: `${base}/sobjects/Contact/@{person.id}?fields=LastName`, referenceId: 'read'},
        ]});
        return compositeResponse.map((each) => [each.referenceId, each.httpStatusCode, each.body.LastName]);
        """,
        [["firm", 201, None], ["person", 201, None], ["read", 200, "{tag}"]],
        "SELECT LastName FROM Contact WHERE Account.Name = '{tag}'",
        [{"LastName": "{tag}"}],
    ),
    Step(
        "composite, all or none",
        """
        const url = `/services/data/v${conn.version}/sobjects/Account`;
        const {compositeResponse} = await conn.requestPost('/composite', {allOrNone: true, compositeRequest: [
          {method: 'POST', url, referenceId: 'good', body: {Name: args.tag}},
          {method: 'POST', url, referenceId: 'bad', body: {}},
        ]});
        return compositeResponse.map((each) => [each.httpStatusCode, each.body[0].errorCode]);
        """,
        [[400, "PROCESSING_HALTED"], [400, "REQUIRED_FIELD_MISSING"]],
        "SELECT Id FROM Account WHERE Name = '{tag}'",
        [],
    ),
    Step(
        "composite batch",
        """
        const {hasErrors, results} = await conn.requestPost('/composite/batch', {batchRequests: [
          {method: 'POST', url: `v${conn.version}/sobjects/Account`, richInput: {Name: args.tag}},
          {method: 'GET', url: `v${conn.version}/query?q=SELECT+Name+FROM+Account+WHERE+Name='${args.tag}'`},
        ]});
        return [hasErrors, results.map((each) => each.statusCode), results[1].result.totalSize];
        """,
        [False, [201, 200], 1],
        "SELECT Name FROM Account WHERE Name = '{tag}'",
        [{"Name": "{tag}"}],
    ),
    Step(
        "composite tree",
        """
        return conn.requestPost('/composite/tree/Account', {records: [{
          attributes: {type: 'Account', referenceId: 'firm'}, Name: args.tag,
          Contacts: {records: [{attributes: {type: 'Contact', referenceId: 'person'}, LastName: args.tag}]},
        }]});
        """,
        {"hasErrors": False, "results": [{"referenceId": "firm", "id": str}, {"referenceId": "person", "id": str}]},
        "SELECT LastName FROM Contact WHERE Account.Name = '{tag}'",
        [{"LastName": "{tag}"}],
    ),
    Step(
        "composite graph",
        """
        const url = `/services/data/v${conn.version}/sobjects/Account`;
        const {graphs} = await conn.requestPost('/composite/graph', {graphs: [
          {graphId: 'one', compositeRequest: [{method: 'POST', url, referenceId: 'a', body: {Name: args.tag}}]},
          {graphId: 'two', compositeRequest: [{method: 'POST', url, referenceId: 'b', body: {Site: args.tag}}]},
        ]});
        return graphs.map((each) => [each.graphId, each.isSuccessful]);
        """,
        [["one", True], ["two", False]],
        "SELECT Name FROM Account WHERE Name = '{tag}' OR Site = '{tag}'",
        [{"Name": "{tag}"}],
    ),
]

METADATA = [
    Step(
        "metadata.create, with keys in the caller's order",
        """
        return conn.metadata.create('CustomField',
          {type: 'Text', unique: true, length: 40, label: 'Made', externalId: true, fullName: `Contact.${args.tag}__c`});
        """,
        SAVED,
        component="CustomField:Contact.{tag}__c",
        body={"type": "Text", "label": "Made", "length": 40, "externalId": True, "unique": True},
    ),
    Step(
        "metadata.create of what is wrong",
        """
        const saved = await conn.metadata.create('CustomField', {fullName: `Contact.${args.tag}__c`, type: 'Text', label: 'No'});
        return [saved.success, saved.errors[0].message];
        """,
        [False, "Must specify 'length' for a CustomField of type Text"],
        component="CustomField:Contact.{tag}__c",
    ),
    Step(
        "metadata.create of many, and of an object with fields",
        """
        return conn.metadata.create('CustomObject', [1, 2].map((number) => ({
          fullName: `${args.tag}${number}__c`, label: 'Boat', pluralLabel: 'Boats', sharingModel: 'ReadWrite',
          deploymentStatus: 'Deployed', nameField: {type: 'Text', label: 'Boat Name'},
          fields: [{fullName: 'Mast__c', label: 'Mast', type: 'Number', precision: 3, scale: 0}],
        })));
        """,
        [SAVED, SAVED],
        component="CustomField:{tag}2__c.Mast__c",
        body={"type": "Number", "precision": 3},
    ),
    Step(
        "metadata.read",
        """
        await conn.metadata.create('CustomField', {fullName: `Lead.${args.tag}__c`, type: 'Checkbox', label: 'Yes', defaultValue: 'true'});
        const [found, absent] = await conn.metadata.read('CustomField', [`Lead.${args.tag}__c`, 'Lead.Nope__c']);
        return [found.fullName, found.label, found.type, String(found.defaultValue), absent.fullName ?? null];
        """,
        ["Lead.{tag}__c", "Yes", "Checkbox", "true", None],
        component="CustomField:Lead.{tag}__c",
        body={"type": "Checkbox"},
    ),
    Step(
        "metadata.update",
        """
        const field = {fullName: `Contact.${args.tag}__c`, type: 'Text', label: 'Before', length: 40};
        await conn.metadata.create('CustomField', field);
        return conn.metadata.update('CustomField', {...field, label: 'After', length: 50});
        """,
        SAVED,
        component="CustomField:Contact.{tag}__c",
        body={"label": "After", "length": 50},
    ),
    Step(
        "metadata.update of what is not there",
        """
        const saved = await conn.metadata.update('CustomField', {fullName: `Contact.${args.tag}__c`, type: 'Text', label: 'x', length: 9});
        return [saved.success, saved.errors[0].statusCode];
        """,
        [False, "INVALID_CROSS_REFERENCE_KEY"],
        component="CustomField:Contact.{tag}__c",
    ),
    Step(
        "metadata.upsert",
        """
        const set = (label) => ({fullName: args.tag, label, userPermissions: [{name: 'ApiEnabled', enabled: true}],
          fieldPermissions: [{field: 'Contact.Title', readable: true, editable: false}],
          objectPermissions: [{object: 'Contact', allowRead: true, allowCreate: false, allowEdit: false, allowDelete: false,
                               viewAllRecords: false, modifyAllRecords: false},
                              {object: 'Account', allowRead: true, allowCreate: false, allowEdit: false, allowDelete: false,
                               viewAllRecords: false, modifyAllRecords: false}]});
        const first = await conn.metadata.upsert('PermissionSet', set('Before'));
        const second = await conn.metadata.upsert('PermissionSet', set('After'));
        return [first.success, first.created, second.success, second.created];
        """,
        [True, True, True, False],
        component="PermissionSet:{tag}",
        body={"label": "After", "fieldPermissions": {"Contact.Title": {"readable": True}}},
    ),
    Step(
        "metadata.rename",
        """
        await conn.metadata.create('CustomField', {fullName: `Contact.${args.tag}__c`, type: 'Text', label: 'x', length: 9});
        return conn.metadata.rename('CustomField', `Contact.${args.tag}__c`, `Contact.${args.tag}_2__c`);
        """,
        SAVED,
        component="CustomField:Contact.{tag}_2__c",
        body={"length": 9},
    ),
    Step(
        "metadata.delete",
        """
        await conn.metadata.create('CustomField', {fullName: `Contact.${args.tag}__c`, type: 'Text', label: 'x', length: 9});
        const saved = await conn.metadata.delete('CustomField', [`Contact.${args.tag}__c`, 'Contact.Nope__c']);
        return saved.map((each) => each.success);
        """,
        [True, False],
        component="CustomField:Contact.{tag}__c",
    ),
    Step(
        "metadata.list",
        """
        await conn.metadata.create('CustomField', {fullName: `Contact.${args.tag}__c`, type: 'Text', label: 'x', length: 9});
        const found = (await conn.metadata.list([{type: 'CustomField'}, {type: 'PermissionSet'}], conn.version))
          .filter((each) => each.fullName.includes(args.tag));
        return found.map((each) => [each.type, each.fullName, each.fileName, each.createdByName]);
        """,
        [["CustomField", "Contact.{tag}__c", "objects/Contact.object", "{person}"]],
        component="CustomField:Contact.{tag}__c",
        body={"length": 9},
    ),
    Step(
        "metadata.describe",
        """
        const found = await conn.metadata.describe(conn.version);
        const flow = found.metadataObjects.find((each) => each.xmlName === 'Flow');
        return [flow.directoryName, flow.suffix, found.partialSaveAllowed, found.organizationNamespace ?? ''];
        """,
        ["flows", "flow", True, ""],
    ),
    Step(
        "metadata.deploy",
        """
        const done = await conn.metadata.deploy(Buffer.from(args.zip, 'base64'), {rollbackOnError: true, singlePackage: true})
          .complete(true);
        const made = [done.details.componentSuccesses].flat().find((each) => each.componentType === 'CustomField');
        return [done.status, done.success, made.fullName, made.created, done.numberComponentErrors];
        """,
        ["Succeeded", True, "Contact.{tag}__c", True, 0],
        component="CustomField:Contact.{tag}__c",
        body={"length": 12},
    ),
    Step(
        "metadata.deployRest",
        """
        const done = await conn.metadata.deployRest(Buffer.from(args.zip, 'base64'), {rollbackOnError: true, singlePackage: true})
          .complete(true);
        return [done.status, done.success, done.numberComponentsDeployed];
        """,
        ["Succeeded", True, 1],
        component="CustomField:Contact.{tag}__c",
        body={"length": 12},
    ),
    Step(
        "metadata.deploy of what is only to be checked",
        """
        const done = await conn.metadata.deploy(Buffer.from(args.zip, 'base64'), {checkOnly: true, singlePackage: true}).complete();
        return [done.status, done.checkOnly];
        """,
        ["Succeeded", True],
        component="CustomField:Contact.{tag}__c",
    ),
    Step(
        "metadata.retrieve",
        """
        await conn.metadata.create('CustomField', {fullName: `Contact.${args.tag}__c`, type: 'Text', label: 'x', length: 9});
        const done = await conn.metadata.retrieve({apiVersion: conn.version, unpackaged: {
          types: [{name: 'CustomField', members: [`Contact.${args.tag}__c`]}], version: conn.version}}).complete();
        return [done.status, [done.fileProperties].flat().map((each) => each.fullName), done.zipFile.startsWith('UEsDB')];
        """,
        ["Succeeded", ["Contact.{tag}__c"], True],
        component="CustomField:Contact.{tag}__c",
        body={"length": 9},
    ),
]

JWT = """
        const {createSign} = await import('node:crypto');
        const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
        const unsigned = `${part({alg: 'RS256'})}.${part({
          iss: args.app.consumer_key, sub: args.username, aud: `${conn.instanceUrl}/`, exp: Date.now() + 180000})}`;
        const assertion = `${unsigned}.${createSign('RSA-SHA256').update(unsigned).sign(args.key_of_app, 'base64url')}`;
"""
APP = (
    "{clientId: args.app.consumer_key, clientSecret: args.app.consumer_secret, redirectUri: args.app.callback_urls[0]}"
)
CREATE = "await c.sobject('Contact').create({LastName: args.tag});"
MADE = {
    "query": "SELECT CreatedBy.Username FROM Contact WHERE LastName = '{tag}'",
    "rows": [{"CreatedBy": {"Username": "{username}"}}],
}

SIGN_IN = [
    Step(
        "sign in by JWT",
        f"""{JWT}
        const c = connect({{oauth2: {APP}}});
        await c.authorize({{grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion}});
        {CREATE}
        return c.instanceUrl === conn.instanceUrl;
        """,
        True,
        **MADE,
    ),
    Step(
        "sign in by client credentials",
        f"""
        const c = connect({{oauth2: {{...{APP}, loginUrl: conn.instanceUrl}}}});
        await c.authorize({{grant_type: 'client_credentials'}});
        {CREATE}
        return (await c.identity()).username;
        """,
        "{username}",
        **MADE,
    ),
    Step(
        "sign in by client credentials with a wrong secret",
        f"""
        const c = connect({{oauth2: {{...{APP}, loginUrl: conn.instanceUrl, clientSecret: 'wrong'}}}});
        return c.authorize({{grant_type: 'client_credentials'}}).catch((error) => [error.name, error.message]);
        """,
        ["invalid_client", "invalid client credentials"],
    ),
    Step(
        "sign in by OAuth with a password",
        f"""
        const c = connect({{oauth2: {{...{APP}, loginUrl: conn.instanceUrl}}}});
        await c.login(args.username, args.password);
        {CREATE}
        return c.accessToken !== conn.accessToken;
        """,
        True,
        **MADE,
    ),
    Step(
        "sign in by OAuth with a wrong password",
        f"""
        const c = connect({{oauth2: {{...{APP}, loginUrl: conn.instanceUrl}}}});
        return c.login(args.username, 'wrong').catch((error) => [error.name, error.message]);
        """,
        ["invalid_grant", "authentication failure"],
    ),
    Step(
        "sign in by SOAP, and out",
        f"""
        const c = connect();
        await c.login(args.username, args.password);
        {CREATE}
        const {{accessToken}} = c;
        await c.logout();
        return connect({{accessToken}}).query('SELECT Id FROM User').catch((error) => error.errorCode);
        """,
        "INVALID_SESSION_ID",
        **MADE,
    ),
    Step(
        "sign in by SOAP with a wrong password",
        "return connect().login(args.username, 'wrong').catch((error) => error.message.split(':')[0])",
        "INVALID_LOGIN",
    ),
    Step(
        "sign in by a code, with a verifier, and go on with the refresh token when the session is over",
        f"""
        const oauth2 = new jsforce.OAuth2({{...{APP}, loginUrl: conn.instanceUrl, useVerifier: true}});
        const page = await fetch(oauth2.getAuthorizationUrl({{scope: 'api refresh_token', state: args.tag}}), {{redirect: 'manual'}});
        const back = new URL(page.headers.get('location')).searchParams;
        const c = connect({{oauth2}});
        await c.authorize(back.get('code'), {{code_verifier: oauth2.codeVerifier}});
        const first = c.accessToken;
        await oauth2.revokeToken(first);
        {CREATE}
        return [back.get('state'), c.refreshToken.length > 20, c.accessToken !== first];
        """,
        ["{tag}", True, True],
        **MADE,
    ),
    Step(
        "sign out of everything that a refresh token gave",
        f"""
        const oauth2 = new jsforce.OAuth2({{...{APP}, loginUrl: conn.instanceUrl}});
        const page = await fetch(oauth2.getAuthorizationUrl({{scope: 'api refresh_token'}}), {{redirect: 'manual'}});
        const c = connect({{oauth2}});
        await c.authorize(new URL(page.headers.get('location')).searchParams.get('code'));
        const {{accessToken, refreshToken}} = c;
        await c.logout(true);
        const used = await connect({{accessToken}}).query('SELECT Id FROM User').catch((error) => error.errorCode);
        const renewed = await oauth2.refreshToken(refreshToken).catch((error) => error.message);
        return [used, renewed];
        """,
        ["INVALID_SESSION_ID", "expired access/refresh token"],
    ),
]

STEPS = [*ABOUT, *RECORDS, *QUERIES, *COMPOSITES, *METADATA, *SIGN_IN]
