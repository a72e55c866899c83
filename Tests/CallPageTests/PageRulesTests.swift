import CallPage
import Testing

@Suite("What the call page may hold")
struct PageRulesTests {
    @Test("every reference of the page leads to an asset")
    func references() throws {
        let html = try PageSources.texts("html").flatMap { $0.text.matches(of: /(?:href|src)="(\/[^"#]*)/) }
        let modules = try PageSources.texts("js").flatMap { $0.text.matches(of: /(?:from|import) "\.(\/[^"]+)"/) }
        let icons = try PageSources.texts("js").flatMap { $0.text.matches(of: /`(\/[^`#$]+)#/) }
        let paths = (html + icons).map { String($0.1) } + modules.map { "/js" + $0.1 }
        #expect(paths.count > CallPage.paths.count)
        for path in paths {
            #expect(CallPage.asset(path) != nil, "\(path) is referred to and not there")
        }
    }

    @Test("the page holds no inline script or style, which its policy would block")
    func inline() throws {
        for (path, text) in try PageSources.texts("html") {
            #expect(!text.contains(/<style|\sstyle=|\son[a-z]+=|javascript:/), "\(path) has inline style or script")
            #expect(!text.contains(/<script(?![^>]*\ssrc=)/), "\(path) has an inline script")
        }
        for (path, text) in try PageSources.texts("js") {
            #expect(
                !text.contains(/\beval\(|new Function\(|innerHTML|insertAdjacentHTML/),
                "\(path) makes code of text"
            )
        }
    }

    @Test("the page names no other host")
    func otherHosts() throws {
        for (path, text) in try PageSources.texts("html", "css", "js", "svg") {
            let addresses = text.matches(of: /(?:https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}[^\s"'`]*/).map { String($0.0) }
            #expect(addresses.allSatisfy { $0 == "http://www.w3.org/2000/svg" }, "\(path): \(addresses)")
        }
    }

    @Test("no file needs a table of contents")
    func short() throws {
        for (path, text) in try PageSources.texts("html", "css", "js", "svg") {
            #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 350, "\(path) is too long")
        }
    }
}
