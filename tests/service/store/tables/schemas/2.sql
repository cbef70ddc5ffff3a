BEGIN TRANSACTION;
CREATE TABLE entries (
            model TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
            version INTEGER NOT NULL,
            kind TEXT NOT NULL,
            step INTEGER NOT NULL,
            optimizer TEXT NOT NULL,
            details TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            total_seconds REAL NOT NULL,
            batch BLOB,
            segment TEXT,
            begin INTEGER,
            size INTEGER,
            PRIMARY KEY (model, version)
        );
INSERT INTO "entries" VALUES('dfefd41ff98ed1a3ccc9d3870c2ff925',0,'created',0,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"seed":0}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',0.0,NULL,NULL,NULL,NULL);
INSERT INTO "entries" VALUES('dfefd41ff98ed1a3ccc9d3870c2ff925',1,'step',1,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"loss":0.7606548974411866,"gradient_norm":1.1603038438376847,"learning_rate":0.01,"reduction":"mean"}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',1.35255729983327910304e-02,X'98000000000000007B225F5F6D657461646174615F5F223A7B226261746368223A227B7D227D2C22646174612F78223A7B226474797065223A22463634222C227368617065223A5B322C345D2C22646174615F6F666673657473223A5B302C36345D7D2C22646174612F79223A7B226474797065223A22493634222C227368617065223A5B325D2C22646174615F6F666673657473223A5B36342C38305D7D7D4184DB89ED17C03FCC45BDE9CFE8C0BF6DB068A4577EE43FF0D484ECBBDABA3FED43E6183424E1BFE6D1CE955F24D73F3C10BD262FDDF43FA3BC69BC7C4EEE3F01000000000000000100000000000000',NULL,NULL,NULL);
INSERT INTO "entries" VALUES('dfefd41ff98ed1a3ccc9d3870c2ff925',2,'step',2,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"loss":0.6480853442857262,"gradient_norm":1.0321397476607141,"learning_rate":0.01,"reduction":"mean"}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',1.42281309963436797261e-02,X'98000000000000007B225F5F6D657461646174615F5F223A7B226261746368223A227B7D227D2C22646174612F78223A7B226474797065223A22463634222C227368617065223A5B322C345D2C22646174615F6F666673657473223A5B302C36345D7D2C22646174612F79223A7B226474797065223A22493634222C227368617065223A5B325D2C22646174615F6F666673657473223A5B36342C38305D7D7DA1B3BB280D1ED63F1F680422B24AEA3F0AFCE58CE125D53F0796B465BBD9F4BFF349D3DDACF8EC3F477184A76691DC3F75522B8DB82EE1BF226194FE8498E23F01000000000000000100000000000000',NULL,NULL,NULL);
INSERT INTO "entries" VALUES('dfefd41ff98ed1a3ccc9d3870c2ff925',3,'step',3,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"loss":1.2658062757508732,"gradient_norm":0.5383318458217715,"learning_rate":0.01,"reduction":"mean"}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',1.51822939951671287417e-02,NULL,'f8fa2b5df2bc6df9ae7ba28e7ee954bf',0,968);
INSERT INTO "entries" VALUES('dfefd41ff98ed1a3ccc9d3870c2ff925',4,'restored',1,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"from":1}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',1.35255729983327910304e-02,NULL,NULL,NULL,NULL);
INSERT INTO "entries" VALUES('4e9d4f4da523f74bb7f0942fd4a3d648',0,'created',0,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"seed":0}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',0.0,NULL,NULL,NULL,NULL);
CREATE TABLE idempotency_keys (
            owner TEXT NOT NULL,
            key TEXT NOT NULL,
            digest BLOB NOT NULL,
            model TEXT NOT NULL,
            answer TEXT NOT NULL,
            PRIMARY KEY (owner, key)
        ) WITHOUT ROWID;
INSERT INTO "idempotency_keys" VALUES('anna','0',X'6D6F64656C2030','dfefd41ff98ed1a3ccc9d3870c2ff925','{"loss":0.7606548974411866,"gradient_norm":1.1603038438376847,"learning_rate":0.01,"version":1,"step":1,"durable":true,"replayed":false}');
INSERT INTO "idempotency_keys" VALUES('anna','1',X'6D6F64656C2031','dfefd41ff98ed1a3ccc9d3870c2ff925','{"loss":0.6480853442857262,"gradient_norm":1.0321397476607141,"learning_rate":0.01,"version":2,"step":2,"durable":true,"replayed":false}');
CREATE TABLE models (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            name TEXT NOT NULL,
            network TEXT NOT NULL,
            dtype TEXT NOT NULL,
            lineage TEXT NOT NULL,
            version INTEGER NOT NULL,
            slot TEXT NOT NULL,
            stamp BLOB NOT NULL, floor INTEGER NOT NULL DEFAULT 0, pruned INTEGER NOT NULL DEFAULT 0, batch_bytes INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
            UNIQUE (owner, name)
        );
INSERT INTO "models" VALUES('dfefd41ff98ed1a3ccc9d3870c2ff925','anna','model','{"version":1,"inputs":{"x":{"shape":[4],"dtype":"float","shared":false},"y":{"shape":[],"dtype":"int64","shared":false}},"nodes":[{"name":"hidden","kind":"linear","inputs":["x"],"config":{"units":8,"bias":true,"init_scale":1.0}},{"name":"active","kind":"tanh","inputs":["hidden"],"config":{}},{"name":"scores","kind":"linear","inputs":["active"],"config":{"units":3,"bias":true,"init_scale":1.0}},{"name":"loss","kind":"softmax_nll","inputs":["scores","y"],"config":{}}],"loss":{"loss":1.0}}','float64','1dd4eae9edf6484e34ac92ae9c71a8f4',4,'8f040042f2a6687fce6d33d7d63a2441',X'A92A1FADFA17415DA194F50021856A20E00260E6116DFD488C385B603A5A1CFB',0,0,1448,12040);
INSERT INTO "models" VALUES('4e9d4f4da523f74bb7f0942fd4a3d648','anna','other','{"version":1,"inputs":{"x":{"shape":[4],"dtype":"float","shared":false},"y":{"shape":[],"dtype":"int64","shared":false}},"nodes":[{"name":"hidden","kind":"linear","inputs":["x"],"config":{"units":8,"bias":true,"init_scale":1.0}},{"name":"active","kind":"tanh","inputs":["hidden"],"config":{}},{"name":"scores","kind":"linear","inputs":["active"],"config":{"units":3,"bias":true,"init_scale":1.0}},{"name":"loss","kind":"softmax_nll","inputs":["scores","y"],"config":{}}],"loss":{"loss":1.0}}','float64','981cbef21112733585094c033599484f',0,'ec09291eef745a3c39c72978741b7f49',X'A92A1FADFA17415DA194F50021856A206A00A8B43F94B11B6520EA86DEE0266D',0,0,0,7944);
CREATE TABLE snapshots (
            model TEXT NOT NULL,
            version INTEGER NOT NULL,
            file TEXT NOT NULL,
            params_id TEXT NOT NULL,
            seconds REAL NOT NULL,
            total_seconds REAL NOT NULL, bytes INTEGER NOT NULL DEFAULT 0, total_bytes INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (model, version),
            FOREIGN KEY (model, version) REFERENCES entries (model, version) ON DELETE CASCADE
        );
INSERT INTO "snapshots" VALUES('dfefd41ff98ed1a3ccc9d3870c2ff925',0,'3cfd016be4c6d099fe4884889441e021.safetensors','216ed1134ffca198b157222926dcaa668076fb1c76f63ebb63da3ce70db3063d',3.22656130010727792978e-02,0.0,2648,0);
INSERT INTO "snapshots" VALUES('dfefd41ff98ed1a3ccc9d3870c2ff925',4,'c1bdf870d925dfac3cc5597c5116beb6.safetensors','0d88f5c490cea15d4e2bb7f0c076267465a6ff9b7da08341fcfb542f112b3fa1',1.04915080009959638118e-02,1.35255729983327910304e-02,2648,1448);
INSERT INTO "snapshots" VALUES('4e9d4f4da523f74bb7f0942fd4a3d648',0,'75f8cd6d77c36857c5860c3b6dc265cf.safetensors','216ed1134ffca198b157222926dcaa668076fb1c76f63ebb63da3ce70db3063d',1.11946370016084983944e-02,0.0,2648,0);
CREATE INDEX entries_in_segments ON entries (model, version) WHERE segment IS NOT NULL;
COMMIT;
PRAGMA user_version = 2;
