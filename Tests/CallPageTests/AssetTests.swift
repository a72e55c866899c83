import CallPage
import Testing

@Suite("The assets of the call page")
struct AssetTests {
    @Test("every file of the page is in the binary as it stands in the repository, and nothing else is")
    func complete() throws {
        let sources = try PageSources.all()
        #expect(CallPage.paths == sources.map(\.path).sorted())
        for source in sources {
            #expect(CallPage.asset(source.path)?.bytes == source.bytes, "\(source.path) differs")
        }
    }

    @Test("the root is the page itself")
    func root() throws {
        let root = try #require(CallPage.asset("/"))
        #expect(root.bytes == CallPage.asset("/index.html")?.bytes)
        #expect(root.contentType == "text/html; charset=utf-8")
    }

    @Test(
        "an unknown path is no asset",
        arguments: ["", "index.html", "/nothing", "/js/", "/js/../index.html", "/css/base.css?x"]
    )
    func unknown(path: String) {
        #expect(CallPage.asset(path) == nil)
    }

    @Test("every asset has a media type that browsers take")
    func mediaTypes() {
        let types: Set = [
            "text/html; charset=utf-8", "text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/svg+xml",
        ]
        for path in CallPage.paths {
            #expect(CallPage.asset(path).map { types.contains($0.contentType) } == true, "\(path)")
        }
    }
}
